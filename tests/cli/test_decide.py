"""`penjing decide`: every line is a recorded decision; a bad row says so and takes none with it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from penjing.core.canon import canonical_json
from penjing.store.database import open_store
from penjing.store.records import get_record, scan_records
from penjing.store.releases import in_service


def test_every_line_is_on_record(penjing, tiny_release, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text(
        "id,text,channel,amount\n1,win cash now free prize,web,3.5\n2,明天开会 收到谢谢,vip,\n"
        "3,打13812345678,app,1\n4,彩票 lottery,app,\n",
        encoding="utf-8",
    )
    ran = penjing("decide", tiny_release.folder, file)
    assert ran.code == 0, ran.err
    assert [line["row"] for line in ran.lines] == [2, 3, 4, 5]
    vip, phone, lottery = ran.lines[1:]
    assert (vip["route"], vip["fired"]) == ("review", ["vip"])
    assert (phone["route"], phone["fired"], phone["facts"]["pii"]["mobile"]) == ("review", ["phone"], 1)
    assert (lottery["outcome"], lottery["decided_by"], lottery["forced"]) == ("spam", "rule", True)
    assert ran.lines[0]["facts"]["fields"] == {"channel": "web", "amount": 3.5}
    store = open_store("sqlite:///penjing.db", create=False)
    for line in ran.lines:
        record = get_record(store, line["id"])
        assert record is not None
        assert canonical_json(record.decided()).decode() == record.decision
        assert record.text is not None
        assert "13812345678" not in record.text
        assert {key: line[key] for key in record.decided()} == record.decided()
    assert [service.id for service in in_service(store)] == [tiny_release.id]
    store.close()


def test_bad_rows_are_told_and_the_others_decided(penjing, tiny_release, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    rows = [
        {"text": "win cash"},
        {"text": "a\x00b"},
        {"text": "x", "amount": "many"},
        {"text": " "},
        {"text": "thanks"},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ran = penjing("decide", tiny_release.folder, file)
    assert ran.code == 3
    assert "3 rows could not be decided" in ran.err
    assert ["error" in line for line in ran.lines] == [False, True, True, True, False]
    for line in ran.lines:
        assert "error" not in line or (line["error"]["message"] and line["error"]["code"] == "bad_request")
    store = open_store("sqlite:///penjing.db")
    assert len(list(scan_records(store))) == 2
    store.close()


def test_standard_input_and_another_database(penjing, tiny_release, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("免费领奖\n\nthanks mum\n".encode())))
    monkeypatch.setenv("PENJING_DB", f"sqlite:///{tmp_path / 'env.db'}")
    ran = penjing("decide", tiny_release.folder)
    assert ran.code == 0, ran.err
    assert [line["row"] for line in ran.lines] == [1, 3]
    assert (tmp_path / "env.db").exists()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x\n")))
    assert penjing("decide", tiny_release.folder, "-", "--db", f"sqlite:///{tmp_path / 'flag.db'}").code == 0
    assert (tmp_path / "flag.db").exists()


def test_no_texts_are_kept_where_the_release_says_so(penjing, tiny_release_maker, tmp_path: Path) -> None:
    release = tiny_release_maker(tmp_path / "made", texts="none")
    (tmp_path / "in.txt").write_text("一个很特别的句子 secretword\n", encoding="utf-8")
    ran = penjing("decide", release.folder, tmp_path / "in.txt")
    assert ran.code == 0, ran.err
    for file in tmp_path.glob("penjing.db*"):
        assert b"secretword" not in file.read_bytes()
    replayed = penjing("replay", ran.lines[0]["id"])
    assert replayed.code == 0
    assert replayed.lines[0]["model"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere", "in.csv"], 2, "no such folder"),
        (["{release}", "nowhere.csv"], 2, "nowhere.csv"),
        (["{release}", "in.csv", "--text", "body"], 2, "there is no column `body`; there are `id`, `message`"),
        (["{release}", "in.csv"], 2, "--text message"),
        (["{release}", "in.csv", "--text", "message", "--db", "mysql://x"], 2, "not supported"),
    ],
)
def test_mistakes_are_explained(penjing, tiny_release, tmp_path: Path, arguments, code, words) -> None:
    (tmp_path / "in.csv").write_text("id,message\n1,hello\n", encoding="utf-8")
    ran = penjing("decide", *(part.format(release=tiny_release.folder) for part in arguments))
    assert ran.code == code
    assert words in ran.err
    assert "fix:" in ran.err
    assert "Traceback" not in ran.err
