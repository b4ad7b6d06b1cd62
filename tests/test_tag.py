"""Entities from rows to decisions: the recipe of the docs at toy scale is made, decided and replayed, without torch."""

from __future__ import annotations

import csv
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from penjing.cases.record import Ask, work
from penjing.core.artifact import open_release
from penjing.core.errors import DataError
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.decide.decider import Decider
from penjing.make.check_recipe import check_recipe
from penjing.make.run import make_release
from penjing.prove.amend import amend
from penjing.serve.messages import ask_to_json
from penjing.serve.slow_process import SlowWork
from penjing.store.database import open_store
from penjing.store.records import write_prepared
from penjing.store.releases import put_in_service
from penjing.store.reviews import export_open, import_verdicts

PAGE = Path(__file__).parents[1] / "docs" / "tasks.md"
PLACES = ("Leeds", "New York", "Oslo", "Lima")
SUMS = ("$ 40", "$ 7", "$ 1,250")
WORDS = ("please", "send", "the", "goods", "to", "us", "today", "we", "paid", "for", "them", "in", "and")
pytestmark = pytest.mark.usefixtures("short_times_here")


def rows(count: int, seed: int) -> list[dict[str, object]]:
    """Texts of random words with a place, an amount, both or none: which is which can be read off the words."""
    draw, made = random.Random(seed), []
    for number in range(count):
        parts: list[tuple[str, str]] = [(draw.choice(WORDS), "") for _ in range(draw.randint(4, 9))]
        for label, known in (("place", PLACES), ("amount", SUMS)):
            if draw.random() < 0.6:
                parts.insert(draw.randint(0, len(parts)), (draw.choice(known), label))
        parts.append((f"no {number} {seed}", ""))
        text, entities = "", []
        for word, label in parts:
            start = len(text) + bool(text)
            text = f"{text} {word}".strip()
            if label:
                entities.append({"start": start, "end": len(text), "label": label})
        made.append({"text": text, "entities": entities})
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tag")
    recipe = next(
        each for each in re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.S) if "{type: tag}" in each
    )
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    lines = [json.dumps(row) for row in rows(900, 0)]
    (folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    result = make_release(folder / "recipe.yaml", folder / "out")
    assert result.release is not None
    return folder


def penjing(folder: Path, *words: str) -> list[dict[str, object]]:
    """The lines of a command in a process of its own, which must not import torch."""
    code = "import sys; sys.modules['torch'] = None; from penjing.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_most_texts_are_decided_and_right(made: Path) -> None:
    report = json.loads((made / "out" / "report.json").read_text("utf-8"))
    assert report["test"]["metrics"]["entity_f1"]["value"] > 0.95
    assert report["calibration"]["ece"]["before"] is not None
    assert report["decisions"]["automation_rate"] > 0.5
    assert {block["name"] for block in report["sections"]} == {
        "entities_by_type", "entity_errors", "entities_by_probability",
    }  # fmt: skip
    for page in ("report.html",):
        assert "Entities by type" in (made / "out" / page).read_text("utf-8")


def test_predictions_name_places_in_both_texts(made: Path) -> None:
    text = "  call 13800138000 and send the goods to New York today"
    (made / "one.jsonl").write_text(json.dumps({"text": text}), encoding="utf-8")
    (line,) = penjing(made, "predict", "out/release", "one.jsonl")
    (span,), (own,) = line["spans"], line["in_text"]  # type: ignore[misc]
    assert span["label"] == own["label"] == "place"
    assert text[own["start"] : own["end"]] == "New York"
    assert span["start"] != own["start"], "the masked text is shorter"


def test_words_of_the_evidence_count_more_than_words_at_random(made: Path) -> None:
    found = json.loads((made / "out" / "report.json").read_text("utf-8"))["faithfulness"]
    assert found["rows"] > 20 and found["comprehensiveness"]["tfidf"] is None
    assert found["comprehensiveness"]["evidence"] > found["comprehensiveness"]["random"]
    assert found["sufficiency"]["evidence"] < found["sufficiency"]["random"]


def test_decisions_are_recorded_and_replayed(made: Path) -> None:
    fresh = rows(60, 1)
    (made / "new.jsonl").write_text("\n".join(json.dumps({"text": row["text"]}) for row in fresh), encoding="utf-8")
    lines = penjing(made, "decide", "out/release", "new.jsonl")
    automatic = [(line, row) for line, row in zip(lines, fresh, strict=True) if line["route"] == "automatic"]
    assert len(automatic) > 20
    right = [json.loads(str(line["outcome"])) == line["in_text"] == row["entities"] for line, row in automatic]
    assert sum(right) / len(right) > 0.85
    assert penjing(made, "replay", "--all")[-1] == {"replayed": 60, "same": 60, "different": 0, "model_exact": 60}


def test_evidence_names_the_entity_that_rests_on_it(made: Path) -> None:
    text = "we paid $ 40 and send the goods to New York today"
    (made / "why.jsonl").write_text(json.dumps({"text": text}), encoding="utf-8")
    (line,) = penjing(made, "decide", "out/release", "why.jsonl", "--evidence", "--why")
    spans = line["evidence"]["spans"]  # type: ignore[index]
    assert [one["label"] for one in line["in_text"]] == ["amount", "place"]  # type: ignore[union-attr]
    words = {piece: {one["text"] for one in spans if one["piece"] == piece} for piece in (0, 1)}
    assert words[1] & {"New", "York"}, "one word of a name supports that the other belongs to it"
    assert all(str(line["text"])[one["start"] : one["end"]] == one["text"] for one in spans)
    assert "the words that matter most" in str(line["why"])


def test_the_slow_lanes_of_the_service_answer_as_a_decision_does(made: Path) -> None:
    decider = Decider(open_release(made / "out" / "release"), threads=1)
    ask = Ask("we paid $ 40 and send the goods to New York today", {}, True)
    (said,) = SlowWork(decider).answer({"asks": [ask_to_json(ask)], "secret": "00"})["answers"]
    (here,) = work(decider, [ask])
    assert said["shown"]["evidence"] == here.shown["evidence"] and here.shown["evidence"]["spans"]
    assert said["shown"]["outcome"] == here.shown["outcome"] and said["shown"]["in_text"] == here.shown["in_text"]


def test_places_of_a_verdict_are_within_the_recorded_text(made: Path, tmp_path: Path) -> None:
    decider = Decider(open_release(made / "out" / "release"), threads=1)
    store = open_store(f"sqlite:///{tmp_path / 'cases.db'}")
    put_in_service(store, decider.release)
    answers = work(decider, [Ask(f"call 13800138000 {row['text']}", {}, evidence=False) for row in rows(60, 2)])
    with store.write() as connection:
        write_prepared(connection, [answer.record for answer in answers if answer.record])
    file = tmp_path / "cases.csv"
    assert export_open(store, file)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        first = next(csv.DictReader(opened))

    def give(end: int) -> int:
        verdict = json.dumps([{"start": 0, "end": end, "label": "place"}])
        with file.open("w", encoding="utf-8", newline="") as opened:
            csv.writer(opened).writerows([["id", "verdict"], [first["id"], verdict]])
        return import_verdicts(store, file).recorded

    length = len(first["text"])
    with pytest.raises(DataError, match=f"row 2: .* is not within the text, which has {length} characters"):
        give(length + 1)
    assert give(length) == 1, "the masked text counts, not the longer one of the caller"
    with pytest.raises(DataError, match="was closed before"):
        give(length - 1)


def test_rules_may_ask_how_many_entities_there_are(made: Path) -> None:
    (made / "rules.csv").write_text(
        "name,entity.amount.count,entities,then,why\ntwo-sums,>=1,,review,money\nnothing,,0,review,no entity\n",
        encoding="utf-8",
    )
    found = subprocess.run(
        [sys.executable, "-m", "penjing", "rules", "check", "rules.csv", "--for", "out/release"],
        cwd=made, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr


def test_rules_see_the_words_and_the_largest_number_of_entities(made: Path) -> None:
    (made / "words").mkdir()
    (made / "words" / "closed.txt").write_text("new york\n", encoding="utf-8")
    (made / "rules.csv").write_text(
        "name,entity.amount.max,entity.place.text,then\nlarge,>=1000,,review\nclosed,,in @closed,review\n",
        encoding="utf-8",
    )
    recipe = (
        (made / "recipe.yaml").read_text("utf-8").replace("{max_error: 0.10}", "{max_error: 0.10, rules: rules.csv}")
    )
    (made / "ruled.yaml").write_text(recipe, encoding="utf-8")
    release = make_release(made / "ruled.yaml", made / "ruled").release
    assert release is not None
    texts = ("we paid $ 1,250 for the goods", "we paid $ 40 and send the goods to New York", "send the goods to Oslo")
    policy = Decider(open_release(made / "ruled" / "release"), threads=1)
    one, two, three = (answer.record for answer in work(policy, [Ask(text, {}, evidence=False) for text in texts]))
    assert one and two and three
    decided = [json.loads(record.row["decision"]) for record in (one, two, three)]
    assert [each["fired"] for each in decided[:2]] == [["large"], ["closed"]] and not decided[2]["fired"]
    facts = [
        {fact: each["facts"][fact] for fact in each["facts"] if fact.endswith((".text", ".max"))} for each in decided
    ]
    assert facts == [
        {"entity.amount.max": {"from": "1000"}, "entity.place.text": None},
        {"entity.amount.max": {"below": "1000"}, "entity.place.text": {"members": ["closed"]}},
        {"entity.amount.max": None, "entity.place.text": {}},
    ], "the record names no word and no number of the text"


@pytest.mark.parametrize("step", ["compress.ngrams: {}", "compress.static: {}", "compress.cascade: {}"])
def test_steps_for_whole_texts_are_refused_with_their_line(made: Path, step: str) -> None:
    recipe = (
        (made / "recipe.yaml")
        .read_text("utf-8")
        .replace("steps: [tune.linear: {}]", f"base: penjing/nano\nsteps:\n- tune.full: {{}}\n- {step}")
    )
    (made / "other.yaml").write_text(recipe, encoding="utf-8")
    said = "\n".join(map(str, check_recipe(load_recipe(made / "other.yaml"), Silent()).faults))
    assert "other.yaml:8" in said and "does not support the task tag" in said, said


def test_labelled_rows_of_amend_are_places_of_the_users_own_text(made: Path) -> None:
    fresh = []
    for row in rows(200, 9):
        before = "   call and "
        moved = [
            one | {"start": one["start"] + len(before), "end": one["end"] + len(before)} for one in row["entities"]
        ]  # type: ignore[attr-defined]
        fresh.append(json.dumps({"text": before + str(row["text"]), "entities": moved}))
    (made / "fresh.jsonl").write_text("\n".join(fresh), encoding="utf-8")
    (made / "none.csv").write_text("name,text,then,why\nnever,contains zzzz,review,for a test\n", encoding="utf-8")
    amended = amend(open_release(made / "out" / "release"), made / "none.csv", made / "fresh.jsonl", made / "amended")
    (threshold,) = amended.certificate.thresholds.values()
    assert threshold is not None, "the masked text begins later: its places are others"
