"""The recipe of docs/tasks.md for pairs of texts, in both languages: from the file to a verdict."""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from penjing.core.artifact import open_release
from penjing.core.pair import join_texts
from penjing.serve.app import build_app
from penjing.serve.auth import KeyRing
from penjing.serve.service import DecisionService
from penjing.serve.settings import Settings
from penjing.store.database import open_store

DOCS = Path(__file__).parents[1] / "docs"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Page, labels of one and of two topics, a word of the rule, topics, and two ways to ask about each.
WORLDS: dict[str, tuple[str, str, str, str, list[str], tuple[str, str]]] = {
    "en": ("tasks.md", "yes", "no", "refund", ["card", "loan", "fee", "phone", "order", "bill"],
           ("where is my {} {}", "my {} {}, where is it")),
    "zh": ("zh/tasks.md", "同义", "不同义", "退款", ["银行卡", "贷款", "手续费", "手机", "订单", "账单"],
           ("我的{}{}在哪里", "请问{}{}在哪里呢")),
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("short_times")


def rows(language: str, count: int = 700) -> list[tuple[str, str, str]]:
    """Two questions about one thing, or about two; each differs by its number."""
    _, same, different, _, topics, forms = WORLDS[language]
    draw, found = random.Random(7), []
    for number in range(count):
        one, other = draw.sample(topics, 2)
        mark = chr(ord("a") + number % 26) + chr(ord("a") + number // 26)
        alike = draw.random() < 0.5
        second = forms[1].format(one if alike else other, mark if alike else mark[::-1] + "x")
        found.append((forms[0].format(one, mark), second, same if alike else different))
    return found


def write(folder: Path, language: str) -> None:
    text = (DOCS / WORLDS[language][0]).read_text(encoding="utf-8")
    found = dict(reversed(FENCE.findall(text[text.index("## `match`") :])))
    (folder / "rules.csv").write_text(found["csv"], encoding="utf-8")
    decide = "decide: {max_error: 0.2, audit: 0, rules: rules.csv}\nthreads: 1\n"
    (folder / "recipe.yaml").write_text(found["yaml"] + decide, encoding="utf-8")
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text_a", "text_b", "label"), *rows(language)])


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.whole)])
def test_the_recipe_of_the_page_goes_the_whole_way(language: str, penjing: Callable[..., Any], tmp_path: Path) -> None:
    _, same, different, word, topics, forms = WORLDS[language]
    write(tmp_path, language)
    made = penjing("make", "recipe.yaml")
    assert made.code == 0, made.err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["test"]["metric"] == "accuracy" and report["test"]["metrics"]["accuracy"]["value"] > 0.9
    one, like, unlike = (
        forms[0].format(topics[0], "q"),
        forms[1].format(topics[0], "q"),
        forms[1].format(topics[1], "z"),
    )
    new = [
        ("text_b", "text_a"),
        (like, one),
        (unlike, one),
        (f"{one} {word}", f"13912345678 {one}"),
        ("", one),
    ]
    with (tmp_path / "new.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(new)
    done = penjing("decide", "out/release", "new.csv", "--evidence", "--why")
    assert done.code == 3 and "error" in done.lines[3], "an empty second text is refused"
    assert [line["outcome"] for line in done.lines[:3]] == [same, different, done.lines[2]["outcome"]]
    assert done.lines[2]["fired"], "a rule of `text` sees the second text too"
    assert done.lines[2]["text"] == join_texts(f"⟦mobile⟧ {one}", f"{one} {word}")
    assert all("\x1f" not in span["text"] for line in done.lines[:3] for span in line["evidence"]["spans"])
    assert penjing("replay", "--all").lines == [{"replayed": 3, "same": 3, "different": 0, "model_exact": 3}]
    _is_reviewed(tmp_path, penjing, done.lines[2]["id"], f"⟦mobile⟧ {one}\n{one} {word}", same)
    erased = penjing("erase", done.lines[2]["id"], "--yes")
    assert erased.code == 0, erased.err
    assert penjing("verify").code == 0
    (tmp_path / "lines.txt").write_text(f"{one}\n", encoding="utf-8")
    alone = penjing("predict", "out/release", "lines.txt", "--lines")
    assert alone.code == 2 and "text_b" in alone.err
    _is_served(tmp_path, (one, like), same)
    with (tmp_path / "fresh.csv").open("w", encoding="utf-8", newline="") as file:
        fresh = [
            (f"{first} {number}", second, label) for number, (first, second, label) in enumerate(rows(language, 90))
        ]
        csv.writer(file).writerows([("text_a", "text_b", "label"), *fresh])
    amended = penjing(
        "amend", "out/release", "--rules", "rules.csv", "--data", "fresh.csv", "--out", "amended", "--json"
    )
    assert amended.code == 0, amended.err
    assert "90 rows given, 0 used before" in amended.err, (amended.err, amended.out)


def _is_reviewed(folder: Path, penjing: Callable[..., Any], identity: str, text: str, verdict: str) -> None:
    assert penjing("review", "export", "cases.csv").code == 0
    with (folder / "cases.csv").open(encoding="utf-8-sig", newline="") as file:
        (case,) = [case for case in csv.DictReader(file) if case["id"] == identity or case.get("编号") == identity]
    shown = case.get("text") or case.get("文本")
    assert shown == text, "both texts are shown"
    with (folder / "cases.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "verdict"), (identity, verdict)])
    assert penjing("review", "import", "cases.csv").code == 0
    assert penjing("export", "decisions", "all.jsonl").code == 0
    lines = [json.loads(line) for line in (folder / "all.jsonl").read_text(encoding="utf-8").splitlines()]
    (line,) = [line for line in lines if line["id"] == identity]
    assert [line["text"], line["other"]] == text.split("\n") and line["verdict"] == verdict


def _is_served(folder: Path, texts: tuple[str, str], outcome: str) -> None:
    store = open_store(f"sqlite:///{folder / 'penjing.db'}")
    settings = Settings(threads=1, cache=str(folder), state_seconds=0)
    service = DecisionService(open_release(folder / "out" / "release"), store, settings)
    with TestClient(build_app(service, KeyRing(store, required=False)), base_url="http://127.0.0.1") as client:
        item = {"text": texts[0], "other": texts[1]}
        made = client.post("/v1/decide", json=item | {"evidence": True}).json()
        assert made["outcome"] == outcome and made["text"] == join_texts(*texts)
        replayed = client.post(f"/v1/decisions/{made['id']}/replay").json()
        assert replayed["same"] and replayed["model"]["exact"]
        assert client.get("/readyz").json()["task"]["type"] == "match"
        both = client.post("/v1/predict", json={"items": [item, item]}).json()
        assert [one["label"] for one in both["items"]] == [outcome, outcome]
        alone = client.post("/v1/decide", json={"text": f"{texts[0]}\x1f{texts[1]}"})
        assert alone.status_code == 422 and "and it is missing" in alone.json()["error"]["message"]


def test_init_finds_the_two_texts(penjing: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, "en")
    made = penjing("init", "a", "--data", "rows.csv", "--json")
    assert made.code == 0 and (made.lines[0]["text"], made.lines[0]["other"]) == ("text_a", "text_b")
    text = (tmp_path / "a" / "recipe.yaml").read_text(encoding="utf-8")
    assert "task: {type: match}" in text and "  other: text_b" in text
    assert penjing("check", "a/recipe.yaml").code == 0
    assert penjing("init", "b", "--data", "rows.csv", "--task", "classify", "--text", "text_a").code == 0
    assert "other" not in (tmp_path / "b" / "recipe.yaml").read_text(encoding="utf-8")
    (tmp_path / "rows.csv").write_text(
        (tmp_path / "rows.csv").read_text(encoding="utf-8").replace("text_a,text_b", "ask,said"), encoding="utf-8"
    )
    assert penjing("init", "c", "--data", "rows.csv", "--text", "ask", "--other", "said").code == 0
    assert "task: {type: match}" in (tmp_path / "c" / "recipe.yaml").read_text(encoding="utf-8")
    refused = penjing("init", "d", "--data", "rows.csv", "--task", "match")
    assert refused.code == 2 and "--text COLUMN --other COLUMN" in refused.err
