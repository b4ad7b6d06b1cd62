"""Entities certified one by one, the whole way: recipe, report, decisions with doubts, replay, amend."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.test_tag import rows

from penjing.core.artifact import open_release
from penjing.prove.amend import read_certificate

RECIPE = """\
name: names
language: en
task: {type: tag}
data: {files: rows.jsonl, text: text, label: entities}
steps: [{tune.linear: {}}]
gates: {unproven: allow}
threads: 1
decide: {certify: item, max_error: 0.1, audit: 0, rules: rules.csv}
"""
RULES = "name,text,then,why\nlawyers,contains lawyer,review,legal matters\n"
pytestmark = pytest.mark.usefixtures("short_times")


def vague(count: int, seed: int) -> list[dict[str, Any]]:
    """Rows of which a quarter ends in a word that is a place in half of them."""
    draw, made = random.Random(seed), list[dict[str, Any]]()
    for row in rows(count, seed):
        text, entities = str(row["text"]), [dict(one) for one in row["entities"]]  # type: ignore[attr-defined]
        if draw.random() < 0.25:
            if draw.random() < 0.5:
                entities.append({"start": len(text) + 1, "end": len(text) + 7, "label": "place"})
            text += " Avalon"
        made.append({"text": text, "entities": entities})
    return made


def write(folder: Path) -> None:
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (folder / "rules.csv").write_text(RULES, encoding="utf-8")
    for name, found in (("rows.jsonl", vague(1_200, 7)), ("more.jsonl", vague(400, 8))):
        (folder / name).write_text("\n".join(map(json.dumps, found)), encoding="utf-8")


@pytest.mark.whole
def test_entities_are_certified_decided_and_amended(penjing: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path)
    made = penjing("make", "recipe.yaml")
    assert made.code == 0, made.err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    decisions, items = report["decisions"], report["decisions"]["items"]
    assert decisions["certified"] and items["most"] >= 1 and not report["harm"]
    assert 0.5 < items["settled"] / items["told"] <= 1 and items["wrong"] / items["settled"] < items["high"] < 0.12
    (block,) = [each for each in report["sections"] if each["name"] == "item_promises"]
    assert sum(row[1] for row in block["rows"]) == items["told"]
    assert "without a person" in made.out and "entities wrong at most 10" in made.out
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Each entity is certified by itself" in page and "Nothing is promised of entities" in page
    policy = json.loads((tmp_path / "out" / "release" / "policy" / "policy.json").read_bytes())
    assert (policy["format"], policy["certify"], policy["most_items"]) == (7, "item", items["most"])
    sure = "please paid them $ 40 today no 7 7"
    lines = [{"text": text} for text in (sure, "the lawyer paid $ 7 no 7 7", "we paid for them no 7 7")]
    (tmp_path / "new.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    found = penjing("decide", "out/release", "new.jsonl", "--why").lines
    assert found[0]["route"] == "automatic" and "doubts" not in found[0]
    assert [one["label"] for one in found[0]["in_text"]] == ["amount"]
    assert found[1]["doubts"] == {"0": "rule_review"}, "a person looks at the whole text"
    assert json.loads(found[2]["outcome"]) == []
    least, doubtful = policy["thresholds"]["entity"], 0
    for line in penjing("decide", "out/release", "more.jsonl").lines:
        p, doubts = line["facts"]["span_p"], set(line.get("doubts", {}))
        surest = sorted(range(len(p)), key=lambda place, p=p: -p[place])[: items["most"]]
        if p and not line["facts"].get("out_of_scope"):
            assert doubts == {str(i) for i, each in enumerate(p) if each < least + 2e-6 or i not in surest}
        assert (line["route"] == "automatic") == (not doubts)
        doubtful += bool(doubts)
    assert 0 < doubtful < 300
    assert penjing("replay", "--all").lines == [{"replayed": 403, "same": 403, "different": 0, "model_exact": 403}]
    amended = penjing("amend", "out/release", "--rules", "rules.csv", "--data", "more.jsonl", "--out", "next")
    assert amended.code == 0, amended.err
    certificate = read_certificate(open_release(tmp_path / "next"))
    assert certificate.certified and certificate.most_items == items["most"]
    assert "of the items that are decided without a person are wrong" in amended.out + amended.err


def test_faults_of_the_promise_are_named(penjing: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path)
    recipe = RECIPE.replace("max_error: 0.1", "max_error: {place: 0.1}")
    (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")
    several = penjing("check", "recipe.yaml")
    assert several.code != 0 and "one limit for all items" in several.out + several.err
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("item,", "item, max_miss: {place: 0.1},"), encoding="utf-8")
    misses = penjing("check", "recipe.yaml")
    assert misses.code != 0 and "promises nothing of items that are missed" in misses.out + misses.err
