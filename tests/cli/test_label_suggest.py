"""`penjing label suggest`: texts go to a person, and come back as rows that train the next release."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.conftest import tiny_texts

from penjing.core.nouns import Release

RECIPE = """\
name: tiny
data: {files: rows.csv}
steps: [{tune.linear: {c: [4]}}]
gates: {unproven: allow}
decide: {max_error: 0.3}
"""
pytestmark = pytest.mark.usefixtures("short_times")


def write(path: Path, texts: list[str], labels: list[str] | None = None) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"][: 1 if labels is None else 2])
        writer.writerows([[text] for text in texts] if labels is None else zip(texts, labels, strict=True))


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_whole_circle(penjing, tmp_path: Path) -> None:
    texts, labels = tiny_texts(700)
    write(tmp_path / "rows.csv", texts[:240], labels[:240])
    write(tmp_path / "new.csv", [*texts[200:], "打电话 13812345678"])
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    assert penjing("make", "recipe.yaml", "--out", "out").code == 0
    ran = penjing("label", "suggest", "out", "new.csv", "--out", "queue.csv", "--count", 12, "--recipe", "recipe.yaml")
    assert ran.code == 0, ran.err
    told = ran.lines[0]
    assert (told["exported"], told["texts"]) == (12, 501) and told["labelled_before"] >= 30
    assert "add: [queue.csv]" in ran.err and "cannot be left out" not in ran.err
    queue = read(tmp_path / "queue.csv")
    assert len(queue) == 12 and not {row["text"] for row in queue} & set(texts[:240])
    assert not any("13812345678" in row["text"] for row in queue)
    # A person fills the column in, except for one row that is left for later.
    truth = dict(zip(texts, labels, strict=True))
    for row in queue[1:]:
        row["label"] = truth.get(row["text"], "ham")
    with (tmp_path / "queue.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(queue[0]))
        writer.writeheader()
        writer.writerows(queue)
    (tmp_path / "next.yaml").write_text(RECIPE.replace("rows.csv", "rows.csv, add: [queue.csv]"), encoding="utf-8")
    before = json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))["data"]["splits"]
    assert penjing("make", "next.yaml", "--out", "out").code == 0
    after = json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))["data"]["splits"]
    assert after == before | {"train": before["train"] + 11}
    # What was labelled is not suggested again; what was not, may be.
    ran = penjing("label", "suggest", "out", "new.csv", "--out", "again.csv", "--count", 20, "--recipe", "next.yaml")
    assert ran.code == 0, ran.err
    again = {row["text"] for row in read(tmp_path / "again.csv")}
    assert not again & {row["text"] for row in queue[1:]}


@pytest.mark.parametrize("method", ["margin", "entropy", "badge", "diversity"])
def test_every_method_writes_a_queue(penjing, tiny_release: Release, tmp_path: Path, method: str) -> None:
    write(tmp_path / "new.csv", tiny_texts(30, seed=5)[0])
    ran = penjing("label", "suggest", tiny_release.folder, "new.csv", "--out", "q.csv", "--count", 4, "--by", method)
    assert ran.code == 0, ran.err
    assert ran.lines[0]["exported"] == 4 and "name the recipe with --recipe RECIPE" in ran.err
    assert len(read(tmp_path / "q.csv")) == 4


def test_chinese_columns_and_label_studio(penjing, tiny_release: Release, tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text("免费领奖\n明天开会\n", encoding="utf-8")
    ran = penjing("label", "suggest", tiny_release.folder, "new.txt", "--out", "q.csv", "--lang", "zh")
    assert ran.code == 0 and "填写 `label`" in ran.err
    assert {"编号", "模型的答案", "text", "label", "可选标签"} <= set(read(tmp_path / "q.csv")[0])
    ran = penjing("label", "suggest", tiny_release.folder, "new.txt", "--out", "q.json", "--form", "labelstudio")
    assert ran.code == 0, ran.err
    tasks = json.loads((tmp_path / "q.json").read_text(encoding="utf-8"))
    assert {task["data"]["text"] for task in tasks} == {"免费领奖", "明天开会"}


def test_what_cannot_be_done_is_said(penjing, tiny_release: Release, tmp_path: Path) -> None:
    (tmp_path / "new.jsonl").write_text('{"text": "win"}\n{"text": " "}\n', encoding="utf-8")
    ran = penjing("label", "suggest", tiny_release.folder, "new.jsonl", "--out", "q.csv", "--by", "margn")
    assert ran.code == 2 and "there is no method `margn`" in ran.err and "`margin`" in ran.err
    ran = penjing("label", "suggest", tiny_release.folder, "new.jsonl", "--out", "q.csv", "--form", "cards")
    assert ran.code == 2 and "there is no form `cards`" in ran.err
    ran = penjing("label", "suggest", tiny_release.folder, "new.jsonl", "--out", "q.csv", "--by", "rare")
    assert ran.code == 2 and "needs the rows of each label" in ran.err and not (tmp_path / "q.csv").exists()
    ran = penjing("label", "suggest", tiny_release.folder, "new.jsonl", "--out", "q.csv")
    assert ran.code == 3 and "row 2: the text is empty" in ran.err and len(read(tmp_path / "q.csv")) == 1
