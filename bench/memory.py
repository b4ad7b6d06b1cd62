"""The memory of one way to answer texts: the peak of a process that opens it and answers texts one by one.

    python bench/memory.py KIND FOLDER THREADS [MODEL] < TEXTS

KIND is `penjing` (the engine of the artifact's form, masking included), `pipeline`, `torch`, or `onnx` with an exported
model file; FOLDER is the artifact's. TEXTS is a JSON list. Prints megabytes: of the whole process, Python, libraries
and weights, for that is what a server must have. `bench/speed.py` runs it for its subjects.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Run = Callable[[Sequence[str]], Any]


def opened(kind: str, folder: Path, threads: int, model: Path | None) -> Run:
    """The subject ready to answer; what it does not need is not imported, since imports take memory too."""
    from penjing.core.artifact import open_artifact

    artifact = open_artifact(folder)
    if kind == "penjing":
        from penjing.runtime.open import open_session

        session = open_session(artifact, threads=threads)
        return lambda texts: session.predict([session.prepare(text).text for text in texts])
    if model is not None:
        from penjing.measure.rival_onnx import answer_onnx

        return answer_onnx(artifact, model, threads)
    from penjing.measure.rivals import hugging_face_pipeline, plain_torch

    return {"pipeline": hugging_face_pipeline, "torch": plain_torch}[kind](artifact, threads)


def peak_mb(kind: str, folder: Path, threads: int, texts: Sequence[str], model: Path | None = None) -> float:
    """Megabytes that a process of its own takes for this subject and these texts."""
    command = [sys.executable, __file__, kind, str(folder), str(threads), *([str(model)] if model else [])]
    done = subprocess.run(command, input=json.dumps(list(texts)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{kind} of {folder}: {done.stderr.strip()}")
    return float(done.stdout)


def main() -> None:
    kind, folder, threads, *model = sys.argv[1:]
    run = opened(kind, Path(folder), int(threads), Path(model[0]) if model else None)
    for text in json.load(sys.stdin):
        run([text])
    # Not `ru_maxrss`, which begins with what the process had that started this one.
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    print(next(round(int(line.split()[1]) * 1.024 / 1000, 1) for line in lines if line.startswith("VmHWM:")))


if __name__ == "__main__":
    main()
