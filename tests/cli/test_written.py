"""Every command that writes a file: whole, to standard output where it is `-`, and its own name in an error."""

from __future__ import annotations

import csv
import errno
import io
import json
from pathlib import Path

import pytest

from penjing.cli.written import named, output_file
from penjing.core.errors import PenjingError, UsageError

COMMANDS = (("review", "export"), ("audits", "export"), ("export", "decisions"))


@pytest.fixture
def decided(penjing, tiny_release_maker, tmp_path: Path) -> None:
    """One case for each command: a doubtful one and an audit, both decisions."""
    made = tiny_release_maker(tmp_path / "made", audit=1.0)
    (tmp_path / "in.csv").write_text("text,channel\nwin cash now,app\n打13812345678,app\n", encoding="utf-8")
    assert penjing("decide", made.folder, "in.csv").code == 0


@pytest.mark.usefixtures("decided")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_path_that_cannot_be_written_is_named_and_a_usage_error(penjing, tmp_path: Path, command) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for name in ("none/out.csv", "file/out.csv"):
        ran = penjing(*command, name)
        assert ran.code == 2 and f"{name}: " in ran.err and "nothing was exported" in ran.err, ran.err
        assert ran.out == "" and "partial" not in ran.err and f".{Path(name).name}" not in ran.err


@pytest.mark.usefixtures("decided")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_dash_is_standard_output_and_no_file(penjing, tmp_path: Path, command) -> None:
    before = sorted(tmp_path.iterdir())
    ran = penjing(*command, "-")
    assert ran.code == 0, ran.err
    rows = list(csv.DictReader(io.StringIO(ran.out.removeprefix("\ufeff"))))
    assert len(rows) == (2 if command[0] == "export" else 1) and rows[0]["text"]
    assert f"rows exported: {len(rows)}" in ran.err and "import -" not in ran.err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.usefixtures("decided")
def test_a_dash_takes_the_given_format(penjing) -> None:
    lines = penjing("export", "decisions", "-", "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["reason"] for line in lines] == ["audit", "rule_review"]


def test_a_full_disk_is_no_usage_error_and_a_closed_reader_is_none_at_all(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old", encoding="utf-8")
    for number, kind in ((errno.ENOSPC, PenjingError), (errno.EACCES, UsageError), (errno.EPIPE, BrokenPipeError)):
        with pytest.raises(kind) as raised, output_file(tmp_path / "old"):
            raise OSError(number, "refused")
        assert type(raised.value) is kind
    assert (tmp_path / "old").read_text(encoding="utf-8") == "old" and len(list(tmp_path.iterdir())) == 1
    assert (named(Path("-")), named(Path("a.csv"))) == ("FILE", "a.csv")
