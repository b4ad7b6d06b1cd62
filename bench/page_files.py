"""The command of every page of docs/bench: it reads the results of a bench and writes the page."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs" / "bench"


def write_pages(description: str | None, results: Path, make: Callable[[Path], Mapping[str, str]]) -> None:
    """Write the files that `make` gives from the results, by name, into the folder of `--out`, which is made if absent.

    description: the docstring of the page's script. results: its default for `--results`.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=results)
    parser.add_argument("--out", type=Path, default=DOCS)
    arguments = parser.parse_args()
    made = make(arguments.results)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (arguments.out / name).write_text(text, encoding="utf-8")
