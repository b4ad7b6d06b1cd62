"""Writes `penjing/small`: the twelve layers of multilingual-e5-small with weights in eight bits.

    python bases/small/make.py --models DIR

`--models` holds `multilingual-e5-small-zh-en`. Nothing is trained and nothing is drawn: the same folder gives the same
bytes. Matrices are stored as INT8 rows with a scale each, everything else in float16 (penjing/model/weights).
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from penjing.model.weights import read_weights, write_weights

HERE = Path(__file__).resolve().parent
TEACHER = "multilingual-e5-small-zh-en"
PACKAGE = HERE / "penjing_small"
COPIED = ("tokenizer.json", "tokenizer_config.json")


def make(teacher: Path, out: Path) -> None:
    """Write model.safetensors, config.json and the tokenizer of the base into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    partial = out / "model.safetensors.partial"
    write_weights(partial, read_weights(teacher / "model.safetensors"))
    partial.chmod(0o644)
    partial.replace(out / "model.safetensors")
    config = json.loads((teacher / "config.json").read_text(encoding="utf-8"))
    (out / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name in COPIED:
        shutil.copyfile(teacher / name, out / name)


def main() -> None:
    """Write the package's folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="folder that holds multilingual-e5-small-zh-en")
    parser.add_argument("--out", type=Path, default=PACKAGE, help="the base folder to write")
    given = parser.parse_args()
    make(given.models / TEACHER, given.out)
    written = sum(path.stat().st_size for path in given.out.iterdir() if path.is_file())
    print(f"wrote {given.out}: {written / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
