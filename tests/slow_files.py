"""Writes tests/slow_files.txt, the test files that `make quick` leaves out, from the times of a run of the suite.

    pytest ... --junitxml=one.xml;  python tests/slow_files.py one.xml [more.xml ...]

A file is left out if its tests take more than half a second together. A new file is in until the list is written again.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

MOST = 0.5  # seconds
LIST = Path(__file__).with_suffix(".txt")


def slow_files(reports: list[Path]) -> list[str]:
    """The files, relative to the root, whose tests take longer than MOST in these reports."""
    seconds: Counter[str] = Counter()
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):
            # A test of a class has the name of the class behind that of the file.
            parts = [part for part in case.get("classname", "").split(".") if part[:1].islower()]
            seconds["/".join(parts) + ".py"] += float(case.get("time") or 0)
    return sorted(file for file, taken in seconds.items() if taken > MOST)


if __name__ == "__main__":
    LIST.write_text("\n".join(slow_files([Path(each) for each in sys.argv[1:]])) + "\n", encoding="utf-8")
