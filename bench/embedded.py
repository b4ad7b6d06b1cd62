"""Claim: a release answers `penjing predict` from under 200 MB of packages, the first answer within a second.

    python bench/embedded.py RELEASE [RELEASE ...]

For each release a fresh virtual environment gets Penjing and the few packages that its engine needs, without their
optional dependencies, in the versions of constraints.txt; the figure is the size of its site-packages without pip, and
the wall time of the whole command for one text (five runs, the median). The answer must be the one of this
environment. Prints a table and writes bench/results/embedded.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

from penjing.core.artifact import open_release
from penjing.core.folder import folder_size
from penjing.core.machine import hardware

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results" / "embedded.json"
# What `penjing predict` imports, whatever the engine, and what each engine needs besides.
COMMON = (
    "annotated-doc", "annotated-types", "markdown-it-py", "mdurl", "numpy", "pydantic", "pydantic-core", "pygments",
    "rich", "shellingham", "typer", "typing-extensions", "typing-inspection",
)  # fmt: skip
ENGINES = {
    "onnx": ("flatbuffers", "onnxruntime", "packaging", "protobuf", "tokenizers"),
    "openvino": ("openvino", "openvino-telemetry", "tokenizers"),
    "static": ("safetensors",),
    "linear": ("jieba", "safetensors"),
}
TEXTS = ("房间很干净，服务员态度也好，下次还会再来。", "Call now to claim your prize!")
RUNS = 5


def pinned(names: tuple[str, ...]) -> list[str]:
    """`name==version` by constraints.txt. Raises SystemExit for a name that is not there."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    known = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower(): line.strip() for line in lines if "==" in line}
    missing = [name for name in names if name not in known]
    if missing:
        raise SystemExit("constraints.txt has no version of " + ", ".join(missing))
    return [known[name] for name in names]


def install(folder: Path, names: tuple[str, ...]) -> Path:
    """A virtual environment with Penjing and these packages alone; returns its python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*pip, *pinned(names)], check=True)
    subprocess.run([*pip, str(ROOT)], check=True)
    return python


def packages_mb(python: Path) -> float:
    """Megabytes (10^6) of site-packages without pip and compiled caches."""
    (packages,) = (python.parents[1] / "lib").glob("python*/site-packages")
    files = [path for path in packages.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sum(path.stat().st_size for path in files if not path.relative_to(packages).parts[0].startswith("pip")) / 1e6


def ask(python: Path, release: Path, text: str) -> tuple[float, dict[str, Any]]:
    """Seconds of the whole command for one text, and its answer."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    began = time.perf_counter()
    run = subprocess.run(
        [str(python), "-m", "penjing", "predict", str(release)],
        input=text, capture_output=True, text=True, check=False, env=environment, cwd=release.parent,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    if run.returncode:
        raise SystemExit(f"penjing predict ended with exit {run.returncode}: {run.stderr.strip()}")
    return seconds, json.loads(run.stdout.splitlines()[0])


def measure(release: Path) -> dict[str, Any]:
    """Size and time of one release in an environment of its own."""
    card = open_release(release).artifact.card
    forms = ["static", str(card.notes["second_form"])] if card.form == "cascade" else [card.form]
    needed = {*COMMON, *(name for form in forms for name in ENGINES[form])}
    with tempfile.TemporaryDirectory() as folder:
        python = install(Path(folder) / "venv", tuple(sorted(needed)))
        size = packages_mb(python)
        for text in TEXTS:
            here = ask(Path(sys.executable), release, text)[1]
            there = ask(python, release, text)[1]
            if here != there:
                raise SystemExit(f"another answer than here: {there} against {here}")
        seconds = [ask(python, release, TEXTS[0])[0] for _ in range(RUNS)]
    return {
        "form": card.form,
        "packages_mb": round(size, 1),
        "release_mb": round(folder_size(release) / 1e6, 1),
        "first_answer_s": round(statistics.median(seconds), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("releases", type=Path, nargs="+", metavar="RELEASE")
    found = []
    for release in parser.parse_args().releases:
        found.append(measure(release.resolve()))
        print(found[-1], flush=True)
    told = {"hardware": hardware(), "python": sys.version.split()[0], "runs": found}
    RESULTS.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
