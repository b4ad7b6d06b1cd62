"""`penjing decide`: every line is a recorded decision; a bad row says so and takes none with it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import openpyxl
import pytest
from tests.recorded import in_service

from penjing.core.canon import canonical_json
from penjing.store.case_data import CaseData, decisions_of, get_cases
from penjing.store.database import open_store
from penjing.store.records import get_record, scan_records


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
    counts = Counter(line["route"] for line in ran.lines if "error" not in line)
    assert f"decided: {counts['automatic']} automatically, {counts['review']} go to a person" in ran.err
    assert ["error" in line for line in ran.lines] == [False, True, True, True, False]
    for line in ran.lines:
        assert "error" not in line or (line["error"]["message"] and line["error"]["code"] == "bad_request")
    store = open_store("sqlite:///penjing.db")
    assert len(list(scan_records(store))) == 2
    store.close()


def test_rows_on_one_line_are_decided_each_for_itself(penjing, tiny_release, tmp_path: Path) -> None:
    file = tmp_path / "in.json"
    file.write_text(json.dumps([{"text": "win cash"}, {"text": ""}, {"text": "thanks mum"}]), encoding="utf-8")
    ran = penjing("decide", tiny_release.folder, file)
    assert [(line["row"], "error" in line) for line in ran.lines] == [(1, False), (2, True), (3, False)]
    assert ran.lines[0]["id"] != ran.lines[2]["id"]
    store = open_store("sqlite:///penjing.db")
    assert {record.text for record in scan_records(store)} == {"win cash", "thanks mum"}
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
    """A case that waits keeps its masked text until the verdict; what was decided automatically keeps none."""
    release = tiny_release_maker(tmp_path / "made", texts="none")
    rows = "text,channel\na lottery with hidden words,app\nplease wait 打13812345678,app\n"
    (tmp_path / "in.csv").write_text(rows, encoding="utf-8")
    ran = penjing("decide", release.folder, tmp_path / "in.csv")
    assert ran.code == 0, ran.err
    assert [line["route"] for line in ran.lines] == ["automatic", "review"]
    for file in tmp_path.glob("penjing.db*"):
        assert b"hidden" not in file.read_bytes()
    for line in ran.lines:
        replayed = penjing("replay", line["id"])
        assert replayed.code == 0
        assert replayed.lines[0]["model"] is None
    assert penjing("review", "export", "cases.csv").code == 0
    (row,) = list(csv.DictReader((tmp_path / "cases.csv").open(encoding="utf-8-sig", newline="")))
    assert row["text"].startswith("please wait 打") and "⟦mobile⟧" in row["text"]
    row["verdict"] = "ham"
    with (tmp_path / "cases.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    assert penjing("review", "import", "cases.csv").code == 0
    for file in tmp_path.glob("penjing.db*"):
        assert b"please wait" not in file.read_bytes()
    assert penjing("verify").code == 0


ROWS = """\
案件号,text,channel,支行,柜员
C-1,win cash now free prize,web,杭州,=1+1
 C-1 ,明天开会 收到谢谢,app,北京,
,thanks mum,app,,07
"""


def test_case_numbers_and_kept_columns_are_stored_and_written_through(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(ROWS, encoding="utf-8")
    asked = ("decide", tiny_release.folder, "in.csv", "--ref", "案件号", "--keep", "支行", "--keep", "柜员")
    ran = penjing(*asked)
    assert ran.code == 0, ran.err
    assert [line.get("ref") for line in ran.lines] == ["C-1", "C-1", None]
    assert [line["keep"] for line in ran.lines] == [
        {"支行": "杭州", "柜员": "=1+1"}, {"支行": "北京", "柜员": ""}, {"支行": "", "柜员": "07"}
    ]  # fmt: skip
    store = open_store("sqlite:///penjing.db")
    assert decisions_of(store, "C-1", 9) == [line["id"] for line in ran.lines[:2]]
    assert get_cases(store, [ran.lines[0]["id"]]) == {ran.lines[0]["id"]: CaseData("C-1", ran.lines[0]["keep"])}
    for record in scan_records(store):
        assert "杭州" not in record.decision and "C-1" not in record.decision
    store.close()
    assert penjing("replay", "--all").code == 0
    erased = penjing("erase", "--ref", "C-1", "--yes", "--json")
    assert erased.lines[-1]["erased"] == 2
    assert penjing("erase", "--ref", "C-1", "--yes").code == 2
    for file in tmp_path.glob("penjing.db*"):
        assert "杭州".encode() not in file.read_bytes()
    assert penjing("verify").code == 0


def test_a_case_number_that_is_too_long_fails_its_row_alone(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f"no,text\n{'9' * 201},win cash\n2,thanks mum\n", encoding="utf-8")
    ran = penjing("decide", tiny_release.folder, "in.csv", "--ref", "no")
    assert ran.code == 3
    assert "has 201 characters; at most 200 are kept" in ran.lines[0]["error"]["message"]
    assert ran.lines[1]["ref"] == "2"
    wrong = penjing("decide", tiny_release.folder, "in.csv", "--ref", "number")
    assert wrong.code == 2 and "there is no column `number`; there are `no`, `text`" in wrong.err


def test_an_interrupted_run_writes_them_through_again(penjing, tiny_release, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "in.csv").write_text("no,text\n" + "".join(f"{n},win cash {n}\n" for n in range(80)), encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr("penjing.store.runs.finish_run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        first = penjing("decide", tiny_release.folder, "in.csv", "--ref", "no")
    again = penjing("decide", tiny_release.folder, "in.csv", "--ref", "no")
    assert again.code == 0 and len(again.lines) == 80
    assert [(line["id"], line["ref"]) for line in again.lines] == [(line["id"], line["ref"]) for line in first.lines]


def test_case_numbers_come_from_standard_input_and_from_a_workbook(
    penjing, tiny_release, tmp_path: Path, monkeypatch
) -> None:
    lines = "".join(json.dumps({"text": "win cash", "no": f"S-{n}", "x": n}) + "\n" for n in range(2))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode()), encoding="utf-8"))
    ran = penjing("decide", tiny_release.folder, "-", "--ref", "no", "--keep", "x")
    assert [(line["ref"], line["keep"]) for line in ran.lines] == [("S-0", {"x": "0"}), ("S-1", {"x": "1"})]
    book = openpyxl.Workbook()
    for row in (("案件号", "text"), (1042, "win cash"), ("X-7", "thanks mum")):
        book.active.append(row)
    book.save(tmp_path / "in.xlsx")
    ran = penjing("decide", tiny_release.folder, "in.xlsx", "--ref", "案件号")
    assert [line["ref"] for line in ran.lines] == ["1042", "X-7"]


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


def _count(*tables: str) -> list[int]:
    store = open_store("sqlite:///penjing.db", create=False)
    with store.read() as connection:
        found = [connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in tables]
    store.close()
    return found


def _stopped(monkeypatch, after: int, error: BaseException) -> None:
    """Let the command end so after a number of batches is recorded."""
    from penjing.cli import show

    flush, done = show.flush, []

    def flushed() -> None:
        flush()
        done.append(1)
        if len(done) == after:
            raise error

    monkeypatch.setattr(show, "flush", flushed)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    file = tmp_path / "输入 文件.txt"
    file.write_text("".join(f"row {number} 打13812345678 call me later\n" for number in range(200)), encoding="utf-8")
    return file


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 130), (MemoryError(), 1)])
def test_an_interrupted_file_goes_on_and_records_nothing_twice(
    penjing, tiny_release, many: Path, monkeypatch, error: BaseException, code: int
) -> None:
    with monkeypatch.context() as patch:
        _stopped(patch, 2, error)
        first = penjing("decide", tiny_release.folder, many)
    assert first.code == code and "Traceback" not in first.err
    assert code == 1 or ("128 rows are recorded" in first.err and "goes on after them" in first.err)
    assert _count("decisions") == [128]
    second = penjing("decide", tiny_release.folder, many)
    assert second.code == 0, second.err
    assert "going on with the run of" in second.err and "128 rows are recorded" in second.err
    lines = second.out.splitlines()
    assert lines[:128] == first.out.splitlines(), "the same bytes, with the same ids"
    assert [json.loads(line)["row"] for line in lines] == list(range(1, 201))
    assert _count("decisions", "run_rows") == [200, 200]
    third = penjing("decide", tiny_release.folder, many)
    assert third.code == 0 and "going on" not in third.err
    assert not {line["id"] for line in third.lines} & {line["id"] for line in second.lines}, "decided anew, by intent"
    assert _count("decisions") == [400]
    assert penjing("replay", "--all").code == 0


def test_again_and_other_content_start_anew(penjing, tiny_release, many: Path, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        _stopped(patch, 1, KeyboardInterrupt())
        penjing("decide", tiny_release.folder, many)
    with monkeypatch.context() as patch:
        _stopped(patch, 1, KeyboardInterrupt())
        ran = penjing("decide", tiny_release.folder, many, "--again")
    assert "going on" not in ran.err and _count("decisions") == [128]
    many.write_text(many.read_text(encoding="utf-8") + "one more\n", encoding="utf-8")
    ran = penjing("decide", tiny_release.folder, many)
    assert ran.code == 0
    assert "after 64 rows; since then the file, the release or an option has changed" in ran.err
    assert _count("decisions") == [128 + 201]


def test_with_evidence_the_lines_of_a_resumed_run_are_the_same(
    penjing, tiny_release_maker, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("penjing.cli.decide.BATCH", 2)
    for kept in ("masked", "none"):
        release = tiny_release_maker(tmp_path / kept, texts=kept)
        file = tmp_path / f"{kept}.txt"
        file.write_text("win cash now\n明天开会 收到谢谢\nfree prize\n", encoding="utf-8")
        with monkeypatch.context() as patch:
            _stopped(patch, 1, KeyboardInterrupt())
            first = penjing("decide", release.folder, file, "--evidence")
        second = penjing("decide", release.folder, file, "--evidence")
        assert second.out.splitlines()[:2] == first.out.splitlines()
        assert all(line["evidence"]["spans"] and line["text"] for line in second.lines)


def test_standard_input_cannot_go_on_and_says_so(penjing, tiny_release, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"see you at lunch\nthanks mum\n")))
    with monkeypatch.context() as patch:
        _stopped(patch, 1, KeyboardInterrupt())
        ran = penjing("decide", tiny_release.folder)
    assert ran.code == 130
    assert "2 rows are recorded" in ran.err and "cannot be read a second time" in ran.err
    assert _count("runs") == [0]


@pytest.mark.whole
@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143), (1, 130), (9, -9)])
def test_a_signal_in_the_middle_loses_and_repeats_nothing(
    penjing, tiny_release, tmp_path: Path, number: int, code: int
) -> None:
    file = tmp_path / "in.txt"
    file.write_text("".join(f"row {each} call me later\n" for each in range(2500)), encoding="utf-8")
    command = [sys.executable, "-m", "penjing", "decide", str(tiny_release.folder), str(file)]
    with (tmp_path / "lines.txt").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE)
        # One batch is printed, so that the command is in its midst.
        while process.poll() is None and not (tmp_path / "lines.txt").stat().st_size:
            time.sleep(0.01)
        process.send_signal(number)
        _, told = process.communicate()
    assert process.returncode == code, told.decode()
    recorded = _count("decisions", "run_rows")
    assert 0 < recorded[0] == recorded[1] < 2500
    assert number == 9 or f"{recorded[0]:,} rows are recorded" in told.decode()
    assert b"Traceback" not in told
    printed = (tmp_path / "lines.txt").read_text(encoding="utf-8").splitlines()
    ran = penjing("decide", tiny_release.folder, file)
    assert ran.code == 0, ran.err
    whole = [line for line in printed if line.endswith("}")]
    assert ran.out.splitlines()[: len(whole)] == whole
    assert _count("decisions", "run_rows") == [2500, 2500]


def test_the_reasons_are_given_in_the_readers_language(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,channel\nlottery,app\nthanks mum see you,app\n", encoding="utf-8")
    ran = penjing("decide", tiny_release.folder, "in.csv", "--why", "--evidence")
    assert ran.lines[0]["why"][:2] == [
        "the rule `lottery` decides `spam`, whatever the model says",
        "the reason of the rule `lottery`: lotteries are always spam",
    ]
    assert ran.lines[1]["why"][-1].startswith("the words that matter most to the model: `")
    ran = penjing("--lang", "zh", "decide", tiny_release.folder, "in.csv", "--why")
    assert ran.lines[0]["why"][0] == "规则 `lottery` 直接判定为 `spam`，不看模型"
    replayed = penjing("replay", ran.lines[0]["id"], "--why")
    assert replayed.lines[0]["reasons"][0] == "the rule `lottery` decides `spam`, whatever the model says"


def test_the_column_of_the_texts_is_not_passed_through_unmasked(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,case\n打13812345678,C-1\n", encoding="utf-8")
    ran = penjing("decide", tiny_release.folder, tmp_path / "in.csv", "--keep", "Text")
    assert ran.code == 2 and "the column `Text` has the texts, which are kept masked" in ran.err
    assert penjing("decide", tiny_release.folder, tmp_path / "in.csv", "--ref", "case").lines[0]["ref"] == "C-1"
    # Nor is a column that is taken for the texts because there is no other.
    (tmp_path / "one.csv").write_text("body\n打13812345678\n谢谢你们\n", encoding="utf-8")
    ran = penjing("decide", tiny_release.folder, tmp_path / "one.csv", "--keep", "body")
    assert ran.code == 2 and "the column `body` has the texts, which are kept masked" in ran.err and not ran.lines


def test_what_a_case_drew_for_an_audit_is_in_the_record_and_not_in_its_line(penjing, tmp_path: Path) -> None:
    release = Path(__file__).parents[1] / "golden" / "third" / "rules-2"
    file = tmp_path / "in.csv"
    file.write_text("text\nthe parcel came late\nfar too expensive\n", encoding="utf-8")
    store, ran = open_store("sqlite:///penjing.db"), penjing("decide", release, file)
    assert ran.code == 0, ran.err
    for line in ran.lines:
        record = get_record(store, line["id"])
        assert record is not None
        assert record.decided()["facts"]["audit"]["probability"] == 0.1
        facts = {name: value for name, value in record.decided()["facts"].items() if name != "audit"}
        assert line["facts"] == facts
    store.close()
    assert penjing("replay", "--all").lines[-1]["same"] == 2
