"""Several tasks from rows to decisions: the recipe of the docs at toy scale is made, decided and replayed, no torch."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from penjing.core.artifact import open_release
from penjing.core.errors import PenjingError
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.explain.evidence import explain
from penjing.make.check_recipe import check_recipe
from penjing.make.run import make_release
from penjing.runtime.open import open_session
from penjing.runtime.paced import paced

PAGE = Path(__file__).parents[1] / "docs" / "tasks.md"
TOPICS = {
    "refund": ("money back", "return it"),
    "fees": ("charged twice", "the fee"),
    "card": ("my card", "a card"),
}
LEVELS = {"1": ("no hurry", "whenever"), "2": ("this week", "soon"), "3": ("at once", "urgent")}
PLACES = ("Leeds", "New York", "Oslo", "Lima")
WORDS = ("please", "send", "the", "goods", "to", "us", "today", "we", "paid", "for", "them", "in", "and")
pytestmark = pytest.mark.usefixtures("short_times_here")


def rows(count: int, seed: int) -> list[dict[str, Any]]:
    """Texts whose words say topic, level and place; a tenth of the golds of two tasks are missing."""
    draw, made = random.Random(seed), []
    for number in range(count):
        topic, level = draw.choice(list(TOPICS)), draw.choice(list(LEVELS))
        parts = [(word, False) for word in draw.choices(WORDS, k=draw.randint(3, 6))]
        for phrase, is_place in ((draw.choice(TOPICS[topic]), False), (draw.choice(LEVELS[level]), False)):
            parts.insert(draw.randint(0, len(parts)), (phrase, is_place))
        if draw.random() < 0.6:
            parts.insert(draw.randint(0, len(parts)), (draw.choice(PLACES), True))
        text, places = "", []
        for word, is_place in [*parts, (f"no {number} {seed}", False)]:
            start = len(text) + bool(text)
            text = f"{text} {word}".strip()
            if is_place:
                places.append({"start": start, "end": len(text), "label": "city"})
        missing = draw.random()
        made.append({
            "text": text,
            "topic": topic,
            "level": "" if missing < 0.1 else level,
            "places": None if 0.1 < missing < 0.2 else places,
        })  # fmt: skip
    return made


def write(path: Path, made: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in made), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("together")
    recipe = next(
        each for each in re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.S) if "type: together" in each
    )
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    write(folder / "rows.jsonl", rows(700, 0))
    assert make_release(folder / "recipe.yaml", folder / "out").release is not None
    return folder


def penjing(folder: Path, *words: str) -> list[dict[str, Any]]:
    """The lines of a command in a process of its own, which must not import torch."""
    code = "import sys; sys.modules['torch'] = None; from penjing.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_task_is_measured_and_keeps_its_limit(made: Path) -> None:
    report = json.loads((made / "out" / "report.json").read_text("utf-8"))
    metrics = report["test"]["metrics"]
    assert {"mean", "all_right", "topic.macro_f1", "urgency.within", "places.entity_f1"} <= set(metrics)
    assert all(metrics[name]["value"] > 0.9 for name in ("topic.macro_f1", "urgency.within", "places.entity_f1"))
    assert report["decisions"]["automation_rate"] > 0.5
    certificate = json.loads((made / "out" / "release" / "certificate.json").read_text("utf-8"))
    assert certificate["max_error"] == {"topic": 0.1, "urgency": 0.1, "places": 0.15}
    passed = [step for step in certificate["path_steps"] if step["passed"]][-1]
    assert passed["thresholds"] == certificate["thresholds"]
    for test in passed["tests"]:
        assert test["errors"] <= test["limit"] * test["cases"], test
    assert {block["name"].split(".")[0] for block in report["sections"]} == {"topic", "urgency", "places"}
    page = (made / "out" / "report.html").read_text("utf-8")
    assert "topic: Which labels are taken for which" in page and "each task is wrong in at most" in page


def test_decisions_are_recorded_and_replayed(made: Path) -> None:
    fresh = rows(60, 1)
    write(made / "new.jsonl", [{"text": row["text"]} for row in fresh])
    lines = penjing(made, "decide", "out/release", "new.jsonl", "--evidence", "--why")
    automatic = [(line, row) for line, row in zip(lines, fresh, strict=True) if line["route"] == "automatic"]
    assert len(automatic) > 20
    right = []
    for line, row in automatic:
        assert "doubts" not in line
        said = json.loads(line["outcome"])
        right.append(said["topic"] == row["topic"] and row["level"] in ("", said["urgency"]))
        assert row["places"] is None or line["in_text"]["places"] == json.loads(said["places"])
    assert sum(right) / len(right) > 0.85
    (part,) = lines[0]["evidence"]["answer"]["parts"]
    assert part == "topic" and lines[0]["evidence"]["spans"]
    assert penjing(made, "replay", "--all")[-1] == {"replayed": 60, "same": 60, "different": 0, "model_exact": 60}


def test_a_case_in_doubt_names_the_tasks(made: Path) -> None:
    write(made / "odd.jsonl", [{"text": "good morning, hello there at once"}])
    (line,) = penjing(made, "decide", "out/release", "odd.jsonl", "--why")
    assert line["route"] == "review" and line["reason"] == line["doubts"]["topic"] == "below_threshold"
    assert line["why"][0].startswith("of `topic` the model says"), line["why"]


def test_rules_see_the_facts_of_each_task(made: Path) -> None:
    text = "name,topic.label,urgency.value,places.entity.city.count,topic.p,then,why\n"
    (made / "rules.csv").write_text(f"{text}a,card,>=3,>=1,,review,money\nb,fees,,0,<0.5,review,unclear\n", "utf-8")
    command = [sys.executable, "-m", "penjing", "rules", "check", "rules.csv", "--for", "out/release"]
    found = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    (made / "rules.csv").write_text(f"{text}a,nothing,,,,review,money\n", "utf-8")
    found = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
    assert found.returncode != 0 and "nothing" in found.stdout + found.stderr


def test_amend_reads_a_column_of_each_task(made: Path) -> None:
    write(made / "more.jsonl", rows(250, 7))
    (made / "amended.csv").write_text("name,text,then,why\nlost,contains my card,review,money\n", "utf-8")
    (said,) = penjing(
        made, "amend", "out/release", "--rules", "amended.csv", "--data", "more.jsonl", "--out", "second", "--json"
    )
    assert said["certificate"]["certified"] and set(said["certificate"]["thresholds"]) == {"topic", "urgency", "places"}


def test_the_slow_lanes_give_the_same_answers(made: Path) -> None:
    session = open_session(open_release(made / "out" / "release").artifact)
    texts = [row["text"] for row in rows(9, 3)]
    slow = paced(session, nullcontext)
    assert slow.predict(texts) == session.predict(texts)
    assert explain(slow, texts[0]) == explain(session, texts[0])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{}", "`tasks` has 0 tasks"),
        ("{topic: {type: classify}}", "`tasks` has 1 task; it needs 2 to 12"),
        ("{topic: {type: classify}, b c: {type: tag}}", "names a task `b c`"),
        ("{topic: {type: classify}, pii: {type: tag}}", "names a task `pii`, and rules know"),
        ("{topic: {type: clasify}, level: {type: score}}", "did you mean `classify`?"),
        ("{topic: {type: classify}, level: {type: match}}", "cannot be one of several"),
        ("{topic: {type: classify}, level: {type: together}}", "cannot be one of several"),
        ("{topic: {type: classify}, level: {type: score, witin: 1}}", "did you mean `within`?"),
        ("{topic: {type: classify}, other: {type: score, label: topic}}", "reads the column `topic` for two tasks"),
        ("{topic: {type: classify}, level: {type: score, label: lvel}}", "there is no column `lvel`"),
        ("{topic: {type: classify}, level: {type: score, weight: 0}}", "weight"),
        ("{topic: {type: classify}, level: 3}", "level"),
        ("{topic: {type: score}, level: {type: score}}", "`topic`: the score is `fees`, not a number"),
    ],
)
def test_wrong_tasks_are_refused_with_their_line(made: Path, given: str, words: str) -> None:
    recipe = (made / "recipe.yaml").read_text("utf-8")
    tasks = re.search(r"tasks: .*", recipe)
    assert tasks is not None
    path = made / "wrong.yaml"
    path.write_text(recipe.replace(tasks.group(), f"tasks: {given}").replace(LIMITS, "0.1"), encoding="utf-8")
    assert_refused(path, words, "wrong.yaml:5")


LIMITS = "{topic: 0.10, urgency: 0.10, places: 0.15}"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (LIMITS, "{topic: 0.1, urgency: 0.1}", "no limit for the task `places`"),
        (LIMITS, "{topic: 0.1, urgency: 0.1, place: 0.1}", "unknown task 'place'"),
        (LIMITS, "0.1, max_miss: {card: 0.1}", "`max_miss` has limits by label"),
        ("text: text}", "text: text, label: topic}", "`label` under `data:` names one column"),
        ("[tune.linear: {}]", "[tune.full: {}, compress.layers: {keep: 2}]", "does not support the task together"),
        ("text: text}", "text: text, fields: {no: int}, features: [no]}", "there is no column `no`"),
        ("{unproven: allow}", "{times_faster: 3}", "times_faster"),
    ],
)
def test_what_the_task_cannot_do_is_refused(made: Path, old: str, new: str, words: str) -> None:
    path = made / "cannot.yaml"
    path.write_text((made / "recipe.yaml").read_text("utf-8").replace(old, new), encoding="utf-8")
    assert_refused(path, words, "cannot.yaml:")


def assert_refused(path: Path, words: str, place: str) -> None:
    said: list[str] = []
    try:
        checked = check_recipe(load_recipe(path), Silent())
        said = [problem.message + (problem.fix or "") for problem in checked.audit.errors]
    except PenjingError as error:
        said = [f"{error.where}: {error.what} {error.fix}"]
    assert any(words in line for line in said), said
    assert any(place in line or "rows.jsonl" in line for line in said) or "`topic`" in words, said
