"""Writes which tests wait for `make test-slow` and which files `make quick` leaves out, by the times of a whole run.

    python -m pytest --junitxml=one.xml ...;  python tests/measured_times.py one.xml [more.xml ...]

tests/slow_tests.txt names the functions with a test of two seconds or more: they are `whole`, as are those that a mark
calls so. tests/slow_files.txt names the files whose other tests take more than half a second together. `make test`
and `make quick` run a new test until the lists are written again.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

LONGEST, MOST = 2.0, 0.5  # seconds: of a test, of a file
TESTS = Path(__file__).with_name("slow_tests.txt")
FILES = Path(__file__).with_name("slow_files.txt")


def timed(reports: list[Path]) -> Iterator[tuple[str, str, float]]:
    """File, function as pytest names it behind the file, and seconds of each test in these reports."""
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):
            # A test of a class has the name of the class behind that of the file.
            parts = case.get("classname", "").split(".")
            classes = [part for part in parts if part[:1].isupper()]
            file = "/".join(part for part in parts if part not in classes) + ".py"
            function = "::".join([*classes, case.get("name", "").partition("[")[0]])
            yield file, function, float(case.get("time") or 0)


def slow_tests(reports: list[Path]) -> list[str]:
    """The functions, as FILE::NAME, one of whose tests takes LONGEST or more."""
    return sorted({f"{file}::{name}" for file, name, seconds in timed(reports) if seconds >= LONGEST})


def slow_files(reports: list[Path]) -> list[str]:
    """The files whose tests take more than MOST together, those of `slow_tests` not counted."""
    slow, taken = set(slow_tests(reports)), Counter[str]()
    for file, name, seconds in timed(reports):
        taken[file] += 0.0 if f"{file}::{name}" in slow else seconds
    return sorted(file for file, seconds in taken.items() if seconds > MOST)


if __name__ == "__main__":
    given = [Path(each) for each in sys.argv[1:]]
    TESTS.write_text("\n".join(slow_tests(given)) + "\n", encoding="utf-8")
    FILES.write_text("\n".join(slow_files(given)) + "\n", encoding="utf-8")
