"""`penjing replay`: the same bytes, or exit 6 with what differs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from penjing.store.database import open_store

TEXTS = "win cash now free prize\n明天开会 收到谢谢\n打13812345678\n彩票 lottery\ncall me later\n"


@pytest.fixture
def ids(penjing, tiny_release, tmp_path: Path) -> list[str]:
    (tmp_path / "in.txt").write_text(TEXTS, encoding="utf-8")
    return [line["id"] for line in penjing("decide", tiny_release.folder, tmp_path / "in.txt").lines]


def _by_hand(statement: str) -> None:
    store = open_store("sqlite:///penjing.db")
    with store.write() as connection:
        connection.execute(text(statement))
    store.close()


@pytest.mark.usefixtures("ids")
def test_all_come_out_the_same(penjing) -> None:
    ran = penjing("replay", "--all")
    assert ran.code == 0, ran.err
    assert ran.lines == [{"replayed": 5, "same": 5, "different": 0, "model_exact": 5}]


def test_one_comes_out_byte_for_byte(penjing, ids: list[str]) -> None:
    ran = penjing("replay", ids[0])
    assert ran.code == 0, ran.err
    line = ran.lines[0]
    assert line["same"]
    assert line["decision"]["sha256"][0] == line["decision"]["sha256"][1]
    assert line["model"] == {"held": True, "exact": True, "moved": 0.0, "changed": [], "outcome": None}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('decision = replace(decision, \'"outcome":"spam"\', \'"outcome":"ham"\'), outcome = \'ham\'', "outcome"),
        ("outcome = 'nothing'", "outcome"),
        ("route = 'x'", "route"),
        ("text = 'thanks mum'", ""),
        ("prediction = replace(prediction, '0.', '0.1')", "probabilities"),
    ],
)
def test_a_changed_record_is_found(penjing, ids: list[str], change: str, words: str) -> None:
    _by_hand(f"UPDATE decisions SET {change} WHERE id = '{ids[0]}'")
    ran = penjing("replay", ids[0])
    assert ran.code == 6
    assert words in str(ran.lines[0]["decision"]["differences"])
    ran = penjing("replay", "--all")
    assert ran.code == 6
    assert "1 of 5 cases" in ran.err
    assert ran.lines[-1]["different"] == 1


def test_a_release_that_moved_is_found_by_its_folder(penjing, tiny_release, tmp_path: Path) -> None:
    shutil.copytree(tiny_release.folder, tmp_path / "there")
    (tmp_path / "in.txt").write_text(TEXTS, encoding="utf-8")
    penjing("decide", tmp_path / "there", tmp_path / "in.txt")
    (tmp_path / "there").rename(tmp_path / "elsewhere")
    ran = penjing("replay", "--all")
    assert ran.code == 2
    assert "no such folder" in ran.err
    assert penjing("replay", "--all", "--release", tmp_path / "elsewhere").code == 0


def test_an_exchanged_release_is_refused(penjing, tiny_release_maker, tiny_release, tmp_path: Path) -> None:
    shutil.copytree(tiny_release.folder, tmp_path / "there")
    (tmp_path / "in.txt").write_text(TEXTS, encoding="utf-8")
    one = penjing("decide", tmp_path / "there", tmp_path / "in.txt").lines[0]["id"]
    other = tiny_release_maker(tmp_path / "made", threshold=0.9)
    shutil.rmtree(tmp_path / "there")
    shutil.copytree(other.folder, tmp_path / "there")
    ran = penjing("replay", one)
    assert ran.code == 5
    assert f"the release {tiny_release.id[:12]} does not stand here any more" in ran.err


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give the id of one decision, or --all"),
        (["x", "--all"], "give the id of one decision, or --all"),
        (["nobody"], "no decision has the id `nobody`"),
        (["x", "--db", "sqlite:///nowhere.db"], "no such database"),
    ],
)
def test_mistakes_are_explained(penjing, arguments: list[str], words: str) -> None:
    ran = penjing("replay", *arguments)
    assert ran.code == 2
    assert words in ran.err
    assert not Path("nowhere.db").exists()
