"""`penjing replay`: the same bytes, or exit 6 with what differs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.tampering import by_hand

from penjing.core.releases import retire

DB = "sqlite:///penjing.db"
TEXTS = "win cash now free prize\n明天开会 收到谢谢\n打13812345678\n彩票 lottery\ncall me later\n"


@pytest.fixture
def ids(penjing, tiny_release, tmp_path: Path) -> list[str]:
    (tmp_path / "in.txt").write_text(TEXTS, encoding="utf-8")
    return [line["id"] for line in penjing("decide", tiny_release.folder, tmp_path / "in.txt").lines]


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
    by_hand(DB, f"UPDATE decisions SET {change} WHERE id = '{ids[0]}'")
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
    assert f"the release {tiny_release.id[:12]} is not here any more" in ran.err


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


def _decided(penjing, folder: Path, file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    return penjing("decide", folder, file).lines[0]["id"]


@pytest.fixture
def three(penjing, tiny_release_maker, tmp_path: Path) -> list[str]:
    """Ids of decisions of three releases: one kept by its id, one as an older Penjing moved it, the newest in place."""
    out, file = tmp_path / "out", tmp_path / "in.txt"
    made = [tiny_release_maker(tmp_path / f"m{number}", threshold=0.6 + number / 10) for number in range(3)]
    ids = []
    for number, release in enumerate(made):
        if number == 1:
            retire(out / "release")
        if number == 2:
            (out / "release").rename(out / f"release-{made[1].id[:12]}")
        shutil.copytree(release.folder, out / "release")
        ids.append(_decided(penjing, out / "release", file, f"win cash now {number}\n"))
    return ids


def test_releases_that_make_moved_are_found_by_their_ids(penjing, three: list[str], tmp_path: Path) -> None:
    ran = penjing("replay", "--all")
    assert ran.code == 0, ran.err
    assert ran.lines == [{"replayed": 3, "same": 3, "different": 0, "model_exact": 3}]
    assert all(penjing("replay", each).code == 0 for each in three)
    (tmp_path / "out").rename(tmp_path / "moved as a whole")
    assert penjing("replay", "--all").code == 2
    assert penjing("replay", "--all", "--release", tmp_path / "moved as a whole").code == 0
    assert penjing("replay", three[0], "--release", tmp_path / "moved as a whole").code == 0


def test_a_release_that_is_gone_or_damaged_stops_no_other(penjing, three: list[str], tmp_path: Path) -> None:
    kept = next((tmp_path / "out" / "releases").iterdir())
    card = kept / "certificate.json"
    card.write_bytes(card.read_bytes() + b" ")
    ran = penjing("replay", "--all")
    assert ran.code == 5
    fault, counts = ran.lines
    assert (fault["records"], fault["error"]["code"]) == (1, "damage") and "was changed" in fault["error"]["message"]
    assert counts == {"replayed": 2, "same": 2, "different": 0, "model_exact": 2, "not_replayed": 1}
    shutil.rmtree(kept)
    ran = penjing("replay", "--all")
    assert ran.code == 5 and len(ran.lines) == 2
    assert "is not here any more" in ran.lines[0]["error"]["message"]
    assert "OUT/releases/ID" in ran.lines[0]["error"]["fix"]
    # What differs outweighs what could not be replayed.
    by_hand(DB, f"UPDATE decisions SET outcome = 'nothing' WHERE id = '{three[2]}'")
    ran = penjing("replay", "--all")
    assert ran.code == 6 and ran.lines[-1] == {
        "replayed": 2, "same": 1, "different": 1, "model_exact": 2, "not_replayed": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        "decision = '{'",
        "decision = '[]'",
        "decision = '{}'",
        "prediction = 'x'",
        "prediction = '{}'",
        "fingerprint = '7'",
        "fingerprint = ''",
        "decision = CAST(X'ff' AS TEXT)",
        "text = CAST(X'fffe' AS TEXT)",
    ],
)
def test_a_record_that_cannot_be_read_stops_no_other(penjing, ids: list[str], change: str) -> None:
    by_hand(DB, f"UPDATE decisions SET {change} WHERE id = '{ids[1]}'")
    ran = penjing("replay", "--all")
    assert ran.code == 6, ran.err
    assert "Traceback" not in ran.err
    assert (ran.lines[-1]["replayed"], ran.lines[-1]["different"]) == (5, 1)
    assert ran.lines[0]["id"] == ids[1]
    one = penjing("replay", ids[1])
    assert one.code in {5, 6} and "Traceback" not in one.err and "fix:" in one.err
