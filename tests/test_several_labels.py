"""Sets of labels certified label by label, the whole way: recipe, report, decisions with doubts, replay, amend."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penjing.core.artifact import open_release
from penjing.prove.amend import read_certificate

WORDS = {
    "card": ["my card is lost", "the card was blocked", "a new card please"],
    "fees": ["the fee is too high", "why this fee", "a fee was charged twice"],
    "loan": ["about my loan", "the loan rate", "a loan for a house"],
}
# Where it says this, half of the texts have the label.
VAGUE = {"card": "the plastic thing", "fees": "what it costs", "loan": "money from you"}
RECIPE = """\
name: topics
language: en
task: {type: several}
data: {files: rows.csv, text: text, label: labels}
steps: [{tune.linear: {}}]
gates: {unproven: allow}
threads: 1
decide: {certify: label, max_error: 0.1, max_miss: MISS, audit: 0, rules: rules.csv}
"""
RULES = "name,count,text,then,why\nlawyers,,contains lawyer,review,legal matters\n"
pytestmark = pytest.mark.usefixtures("short_times")


def rows(count: int, seed: int = 7) -> list[tuple[str, str]]:
    """Texts of nought to three labels, some of them vague, and a label that hardly any text has."""
    draw, found = random.Random(seed), []
    for number in range(count):
        labels = draw.sample(sorted(WORDS), draw.choice([0, 1, 1, 1, 2, 2]))
        said = [draw.choice(WORDS[label]) for label in labels]
        if draw.random() < 0.12:
            vague = draw.choice([label for label in WORDS if label not in labels] or ["card"])
            said.append(VAGUE[vague])
            if draw.random() < 0.5 and vague not in labels:
                labels.append(vague)
        if draw.random() < 0.006:
            labels.append("gift")
        place = f"{seed}{number * 7919 % 99991}"
        found.append((f"hello, this is message {place}: {', '.join(said)}", ";".join(sorted(labels)) or "none"))
    return found


def write(folder: Path, miss: str = "0.15") -> None:
    (folder / "recipe.yaml").write_text(RECIPE.replace("MISS", miss), encoding="utf-8")
    (folder / "rules.csv").write_text(RULES, encoding="utf-8")
    for name, found in (("rows.csv", rows(1_500)), ("more.csv", rows(600, 8))):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "labels"), *found])


@pytest.mark.whole
def test_labels_are_certified_decided_and_amended(penjing: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path)
    checked = penjing("check", "recipe.yaml")
    assert checked.code == 0 and "`gift`" in checked.out + checked.err
    made = penjing("make", "recipe.yaml")
    assert made.code == 0, made.err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    decisions = report["decisions"]
    assert decisions["certified"] and decisions["by_label"] and set(decisions["max_miss"]) == set(WORDS)
    assert 0.5 < decisions["automation_rate"] <= decisions["labels_settled"] < 1
    assert "each label, on" in made.out and "of the labels settled" in made.out
    (block,) = [each for each in report["sections"] if each["name"] == "label_promises"]
    assert {row[0] for row in block["rows"]} == {*WORDS, "gift"}
    assert "Each label: what is certified" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    policy = json.loads((tmp_path / "out" / "release" / "policy" / "policy.json").read_bytes())
    assert (policy["format"], policy["certify"], policy["thresholds"]["yes.gift"]) == (6, "label", None)
    sure, vague, law = "my card is lost, why this fee", "my card is lost, what it costs", "my card is lost, lawyer"
    (tmp_path / "new.csv").write_text(
        "text\n" + "".join(f'"{text}"\n' for text in (sure, vague, law)), encoding="utf-8"
    )
    lines = penjing("decide", "out/release", "new.csv", "--why").lines
    assert (lines[0]["outcome"], lines[0]["route"]) == ("card;fees", "automatic") and "doubts" not in lines[0]
    assert lines[1]["route"] == "review" and set(lines[1]["doubts"]) == {"fees"}
    assert "`fees`" in lines[1]["why"][0] and lines[2]["reason"] == "rule_review"
    for label, words in (("fees", "why this fee"), ("card", "my card is lost")):
        asked = penjing("decide", "out/release", "new.csv", "--evidence-of", label, "--again").lines[0]["evidence"]
        assert asked["about"] == label and asked["spans"][0]["text"] in words
        (tmp_path / "cut.csv").write_text(f'text\n"{sure.replace(asked["spans"][0]["text"], " ")}"\n', encoding="utf-8")
        whole, cut = lines[0]["facts"], penjing("predict", "out/release", "cut.csv").lines[0]
        other = "card" if label == "fees" else "fees"
        after = dict(zip(cut["labels"], cut["probabilities"], strict=True))
        falls = {one: whole[f"p.{one}"] - after[one] for one in (label, other)}
        assert falls[label] > 0.1 > falls[other], "without these words this label falls, and the other one stays"
    wrong = penjing("decide", "out/release", "new.csv", "--evidence-of", "cards", "--again")
    assert wrong.code == 2 and "unknown label `cards`" in wrong.err
    assert penjing("replay", "--all").lines == [{"replayed": 9, "same": 9, "different": 0, "model_exact": 9}]
    amended = penjing("amend", "out/release", "--rules", "rules.csv", "--data", "more.csv", "--out", "next")
    assert amended.code == 0, amended.err
    certificate = read_certificate(open_release(tmp_path / "next"))
    assert certificate.certified and certificate.by_label and certificate.automation > 0.5
    assert certificate.reviewed == ("gift",)


def test_faults_of_the_promise_are_named(penjing: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, "{cards: 0.1}")
    found = penjing("check", "recipe.yaml")
    assert found.code != 0 and "`max_miss` has the unknown label 'cards'" in found.out + found.err
    write(tmp_path)
    recipe = (tmp_path / "recipe.yaml").read_text(encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(recipe.replace(" max_miss: 0.15,", ""), encoding="utf-8")
    missing = penjing("check", "recipe.yaml")
    assert missing.code != 0 and "`max_miss` is not there" in missing.out + missing.err
    (tmp_path / "recipe.yaml").write_text(recipe.replace("{type: several}", "{type: classify}"), encoding="utf-8")
    other = penjing("check", "recipe.yaml")
    assert other.code != 0 and "`certify: label` is about answers that are sets" in other.out + other.err
