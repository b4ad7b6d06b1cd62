"""`penjing audits`: out without what the model said, back by `review import`, and the error that they show."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.recorded import write_records

from penjing.core.answers import Choice
from penjing.core.nouns import Decision, Prediction
from penjing.store.database import open_store
from penjing.store.records import Record, make_record


def audited(number: int, reason: str = "audit") -> Record:
    facts = {
        "label": "spam",
        "p": 0.97,
        "fields": {"channel": "web"},
        "audit": {"draw": number / 100_000, "probability": 0.02},
    }
    decision = Decision(f"id-{number:03}", "a" * 64, "spam", "review", "model", False, reason, facts)
    return make_record(
        decision, Prediction("b" * 64, Choice(("ham", "spam"), (0.03, 0.97))), f"=text {number}", {}, None
    )


def write(rows: list[dict[str, str]], name: str) -> None:
    with Path(name).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read(name: str) -> list[dict[str, str]]:
    with Path(name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_audits_go_out_blind_come_back_and_show_an_error(penjing) -> None:
    store = open_store("sqlite:///penjing.db")
    with store.write() as connection:
        write_records(connection, [audited(n) for n in range(40)] + [audited(900, "below_threshold")])
    store.close()
    ran = penjing("audits", "error")
    assert ran.lines == [{"audits": 40, "waiting": 40, "judged": 0, "model": None, "rules": None}]
    assert "no audit has a verdict yet" in ran.err
    ran = penjing("review", "export", "cases.csv")
    assert ran.lines[0]["exported"] == 1 and "40 audits wait too: `penjing audits export FILE`" in ran.err
    ran = penjing("audits", "export", "audits.csv")
    assert ran.lines == [{"exported": 40, "file": "audits.csv"}] and "fill in `verdict`" in ran.err
    rows = read("audits.csv")
    assert list(rows[0]) == ["id", "ref", "time", "fields", "text", "labels", "verdict", "reviewer", "note"]
    assert (rows[0]["text"], rows[0]["labels"], rows[0]["fields"]) == ("'=text 0", "ham, spam", "channel: web")
    assert "0.97" not in Path("audits.csv").read_text(encoding="utf-8-sig")
    write([row | {"verdict": "ham" if place == 7 else "spam"} for place, row in enumerate(rows)], "audits.csv")
    assert penjing("review", "import", "audits.csv").lines[0]["imported"] == 40
    ran = penjing("audits", "error")
    model = ran.lines[0]["model"]
    assert (model["judged"], model["wrong"], model["error"]) == (40, 1, 0.025) and ran.lines[0]["rules"] is None
    assert 0 < model["low"] < 0.025 < model["high"] < 0.25
    assert "of 40 audited decisions of the model 1 were wrong: about 2.5 %" in ran.err
    for release, judged in (("b" * 64, 0), ("a" * 64, 40), ("aaa", 40), ("a%", 0)):
        found = penjing("audits", "error", "--release", release).lines[0]
        assert (found["judged"], found["audits"]) == (judged, judged)


def test_the_heading_is_in_chinese_and_is_read_back(penjing) -> None:
    store = open_store("sqlite:///penjing.db")
    with store.write() as connection:
        write_records(connection, [audited(1)])
    store.close()
    assert "结论" in penjing("--lang", "zh", "audits", "export", "audits.csv").err
    (row,) = read("audits.csv")
    write([row | {"结论": "ham"}], "audits.csv")
    assert penjing("review", "import", "audits.csv").lines[0]["imported"] == 1
