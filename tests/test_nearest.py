"""The recipe of docs/tasks.md for the nearest entry of a catalogue, in both languages: from the file to a verdict."""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from penjing.core.artifact import open_release
from penjing.serve.app import build_app
from penjing.serve.auth import KeyRing
from penjing.serve.service import DecisionService
from penjing.serve.settings import Settings
from penjing.store.database import open_store

DOCS = Path(__file__).parents[1] / "docs"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Page, columns of the catalogue and of the rows, a word of the rule, topics, deeds, an entry and a question about both.
WORLDS: dict[str, tuple[str, Sequence[str], Sequence[str], str, list[str], list[str], str, str]] = {
    "en": ("tasks.md", ("id", "question"), ("text", "entry"), "refund",
           ["card", "loan", "fee", "phone", "order", "bill"], ["lost", "late", "wrong", "stolen"],
           "What to do about a {} that is {}?", "my {} {} {}, please help"),
    "zh": ("zh/tasks.md", ("编号", "问题"), ("文本", "条目"), "退款",
           ["银行卡", "贷款", "手续费", "手机", "订单", "账单"], ["丢失", "迟到", "有误", "被盗"],
           "{}{}怎么办？", "我的{}{}了{}，请帮忙"),
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("short_times")


def entries(language: str) -> list[tuple[str, str]]:
    """24 entries: each topic with each deed."""
    _, _, _, _, topics, deeds, entry, _ = WORLDS[language]
    pairs = [(topic, deed) for topic in topics for deed in deeds]
    return [(f"q{place}", entry.format(*pair)) for place, pair in enumerate(pairs)]


def rows(language: str, count: int = 600) -> list[tuple[str, str]]:
    """Questions about all entries but the last, each with a number of its own."""
    _, _, _, _, topics, deeds, _, form = WORLDS[language]
    draw, found = random.Random(7), []
    for number in range(count):
        place = draw.randrange(len(topics) * len(deeds) - 1)
        mark = chr(ord("a") + number % 26) + chr(ord("a") + number // 26)
        found.append((form.format(topics[place // len(deeds)], deeds[place % len(deeds)], mark), f"q{place}"))
    return found


def write(folder: Path, language: str) -> None:
    page, head, columns = WORLDS[language][:3]
    text = (DOCS / page).read_text(encoding="utf-8")
    found = dict(reversed(FENCE.findall(text[text.index("## `nearest`") :])))
    (folder / "rules.csv").write_text(found["csv"], encoding="utf-8")
    decide = "decide: {max_error: 0.2, audit: 0, rules: rules.csv}\nthreads: 1\n"
    (folder / "recipe.yaml").write_text(found["yaml"] + decide, encoding="utf-8")
    for name, header, lines in (("faq.csv", head, entries(language)), ("rows.csv", columns, rows(language))):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *lines])


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.whole)])
def test_the_recipe_of_the_page_goes_the_whole_way(language: str, penjing: Callable[..., Any], tmp_path: Path) -> None:
    _, _, columns, word, topics, deeds, entry, form = WORLDS[language]
    write(tmp_path, language)
    made = penjing("make", "recipe.yaml")
    assert made.code == 0, made.err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["test"]["metric"] == "recall_at_1"
    assert list(report["test"]["metrics"]) == ["recall_at_1", "recall_at_10", "mrr"]
    assert all(set(score) >= {"value", "low", "high"} for score in report["test"]["metrics"].values())
    assert report["test"]["metrics"]["recall_at_1"]["value"] > 0.9
    asked = [
        form.format(topics[0], deeds[1], "zz"),
        form.format(topics[-1], deeds[-1], "zz"),  # its entry has no train row
        f"{form.format(topics[2], deeds[2], 'zz')} {word} 13912345678",
    ]
    with (tmp_path / "new.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([(columns[0],), *((text,) for text in asked)])
    done = penjing("decide", "out/release", "new.csv", "--evidence", "--why")
    assert done.code == 0, done.err
    assert [line["outcome"] for line in done.lines[:2]] == ["q1", "q23"]
    assert done.lines[2]["route"] == "review" and done.lines[2]["fired"] and "⟦mobile⟧" in done.lines[2]["text"]
    assert {span["text"].strip() for span in done.lines[0]["evidence"]["spans"]} & {deeds[1], topics[0]} or any(
        deeds[1] in span["text"] or topics[0] in span["text"] for span in done.lines[0]["evidence"]["spans"]
    )
    said = penjing("predict", "out/release", "new.csv").lines[0]
    assert said["labels"][0] == "q1" and len(said["labels"]) == len(said["probabilities"]) == 10
    assert sum(said["probabilities"]) <= 1.0001
    assert penjing("replay", "--all").lines == [{"replayed": 3, "same": 3, "different": 0, "model_exact": 3}]
    _is_reviewed(tmp_path, penjing, done.lines[2]["id"], entry.format(topics[2], deeds[2]))
    assert penjing("erase", done.lines[2]["id"], "--yes").code == 0
    assert penjing("verify").code == 0
    _is_served(tmp_path, asked[0])
    with (tmp_path / "fresh.csv").open("w", encoding="utf-8", newline="") as file:
        fresh = [(f"{text} {number}", gold) for number, (text, gold) in enumerate(rows(language, 90))]
        csv.writer(file).writerows([columns, *fresh])
    amended = penjing("amend", "out/release", "--rules", "rules.csv", "--data", "fresh.csv", "--out", "new", "--json")
    assert amended.code == 0, amended.err
    _has_other_entries(tmp_path, language, penjing)


def _has_other_entries(folder: Path, language: str, penjing: Callable[..., Any]) -> None:
    """The last entry is taken out and another one is there, which is certified, answered and replayed."""
    _, head, columns = WORLDS[language][:3]
    added = {"en": "How do I close my account?", "zh": "怎样注销账户？"}[language]
    with (folder / "other.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *entries(language)[:-1], ("q24", added)])
    options = ("--rules", "rules.csv", "--data", "fresh.csv", "--catalogue", "other.csv", "--entry", head[1])
    done = penjing("amend", "out/release", *options, "--id", head[0], "--out", "other", "--json")
    assert done.code == 0, done.err
    assert any("23" in line and "1" in line for line in done.err.splitlines())
    certificate = done.lines[0]["certificate"]
    assert (certificate["rows"], certificate["confidence"]) == (90, 0.975), "rows that certified another model"
    with (folder / "asked.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([(columns[0],), (added,)])
    assert penjing("decide", "other", "asked.csv").lines[0]["facts"]["entry"] == "q24"
    assert penjing("replay", "--all", "--release", "other").code == 0


def _is_reviewed(folder: Path, penjing: Callable[..., Any], identity: str, text: str) -> None:
    """A verdict may name an entry by its text; what is no entry is refused."""
    with (folder / "cases.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "verdict"), (identity, "q99")])
    assert penjing("review", "import", "cases.csv").code == 3
    with (folder / "cases.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "verdict"), (identity, text)])
    taken = penjing("review", "import", "cases.csv")
    assert taken.code == 0, taken.err
    assert penjing("export", "decisions", "all.jsonl").code == 0
    lines = [json.loads(line) for line in (folder / "all.jsonl").read_text(encoding="utf-8").splitlines()]
    (line,) = [line for line in lines if line["id"] == identity]
    assert line["verdict"] == "q10"


def _is_served(folder: Path, text: str) -> None:
    store = open_store(f"sqlite:///{folder / 'penjing.db'}")
    settings = Settings(threads=1, cache=str(folder), state_seconds=0)
    service = DecisionService(open_release(folder / "out" / "release"), store, settings)
    with TestClient(build_app(service, KeyRing(store, required=False)), base_url="http://127.0.0.1") as client:
        made = client.post("/v1/decide", json={"text": text, "evidence": True}).json()
        assert made["outcome"] == "q1"
        replayed = client.post(f"/v1/decisions/{made['id']}/replay").json()
        assert replayed["same"] and replayed["model"]["exact"]
        assert client.get("/readyz").json()["task"]["type"] == "nearest"
        both = client.post("/v1/predict", json={"items": [{"text": text}] * 2}).json()
        assert [one["labels"][0] for one in both["items"]] == ["q1", "q1"]
