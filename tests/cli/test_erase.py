"""`penjing erase`: what is erased is nowhere any more, the rest stays and verifies, and a replay says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.store import audit
from penjing.store.database import open_store

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def ids(penjing, tiny_release, tmp_path: Path) -> list[str]:
    (tmp_path / "in.txt").write_text("win cash now\n明天开会碰头暗号\n打13812345678\n", encoding="utf-8")
    return [line["id"] for line in penjing("decide", tiny_release.folder, tmp_path / "in.txt").lines]


def test_erased_text_is_in_no_file_of_the_database(penjing, ids: list[str], tmp_path: Path) -> None:
    ran = penjing("erase", ids[1], "--yes", "--json")
    assert ran.code == 0, ran.err
    assert ran.lines[0]["id"] == ids[1] and ran.lines[0]["erased"] is True
    assert ran.lines[1] == {"decisions": 1, "erased": 1, "erased_before": 0}
    for file in tmp_path.glob("penjing.db*"):
        assert "碰头暗号".encode() not in file.read_bytes(), file
    assert penjing("verify").code == 0
    store = open_store("sqlite:///penjing.db")
    assert [entry["kind"] for entry in audit.entries(store)][-1] == "erased"
    store.close()
    again = penjing("erase", ids[1], "--yes", "--json")
    assert (again.code, again.lines[1]) == (0, {"decisions": 1, "erased": 0, "erased_before": 1})


def test_a_replay_of_an_erased_record_says_so_with_the_date(penjing, ids: list[str]) -> None:
    penjing("erase", ids[0], "--yes")
    ran = penjing("replay", ids[0])
    assert ran.code == 0, ran.err
    (line,) = ran.lines
    assert line["model"] is None and line["why"].startswith(f"the text and the fields were erased on {line['erased']}")
    every = penjing("replay", "--all")
    assert (every.code, every.lines[-1]["different"]) == (0, 0)


def test_nothing_is_erased_unasked_or_for_an_unknown_id(penjing, ids: list[str]) -> None:
    ran = penjing("erase", ids[0])
    assert ran.code == 2 and "nothing was erased" in ran.err
    ran = penjing("erase", ids[0], "--dry-run")
    assert ran.code == 0 and f"{ids[0]} of " in ran.out and "would be erased" in ran.out
    ran = penjing("erase", ids[0], "nobody", "--yes")
    assert ran.code == 3 and "`nobody`" in ran.err
    assert penjing("erase", "--yes").code == 2
    assert penjing("replay", ids[0]).lines[0]["model"] is not None


@pytest.mark.parametrize(("name", "head"), [("ids.txt", ""), ("ids.csv", "name,id\n"), ("ids.csv", "id\n")])
def test_a_file_of_ids(penjing, ids: list[str], tmp_path: Path, name: str, head: str) -> None:
    lines = [f"x,{each}" if "name" in head else each for each in ids[:2]]
    (tmp_path / name).write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    ran = penjing("erase", "--file", name, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert [line["id"] for line in ran.lines[:-1]] == ids[:2]


def test_by_a_declared_field(penjing, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,amount\nwin cash,5\nsee you,7\nwin,5\n", encoding="utf-8")
    ran = penjing("decide", GOLDEN / "linear", "in.csv")
    ids = [line["id"] for line in ran.lines]
    assert ran.code == 0 and penjing("erase", "--field", "amount=9", "--yes").code == 2
    done = penjing("erase", "--field", "amount=5.0", "--yes", "--json")
    assert done.code == 0, done.err
    assert {line["id"] for line in done.lines[:-1]} == {ids[0], ids[2]}
    replayed = penjing("replay", ids[0])
    assert replayed.code == 0 and "were erased on" in replayed.lines[0]["why"]
