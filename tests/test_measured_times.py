"""The lists of slow tests: by file and function of a report, and no entry names a test that is gone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPORT = """<testsuite><testcase classname="tests.a.test_one" name="test_x[1]" time="2.5"/>
<testcase classname="tests.a.test_one" name="test_y" time="0.6"/>
<testcase classname="tests.test_two.TestGroup" name="test_z" time="0.2"/></testsuite>"""


def test_a_slow_test_does_not_make_its_file_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    import measured_times

    (tmp_path / "one.xml").write_text(REPORT, encoding="utf-8")
    assert measured_times.slow_tests([tmp_path / "one.xml"]) == ["tests/a/test_one.py::test_x"]
    assert measured_times.slow_files([tmp_path / "one.xml"]) == ["tests/a/test_one.py"], "0.6 s are left"
    assert [file for file, _, _ in measured_times.timed([tmp_path / "one.xml"])][-1] == "tests/test_two.py"
    sys.modules.pop("measured_times")


def test_every_listed_test_is_there() -> None:
    gone = []
    for entry in (HERE / "slow_tests.txt").read_text(encoding="utf-8").split():
        file, _, name = entry.partition("::")
        path = HERE.parent / file
        tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        gone += [] if name.rpartition("::")[2] in defined else [entry]
    assert gone == []
    assert [one for one in (HERE / "slow_files.txt").read_text().split() if not (HERE.parent / one).is_file()] == []
