"""The recipe of docs/tasks.md for relations, in both languages: from the file to a verdict; and what is refused."""

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
from penjing.core.pair import join_texts, split_texts
from penjing.serve.app import build_app
from penjing.serve.auth import KeyRing
from penjing.serve.service import DecisionService
from penjing.serve.settings import Settings
from penjing.store.database import open_store

DOCS = Path(__file__).parents[1] / "docs"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Page, columns, labels of buying, of being bought and of no relation, how each is said, the word of the rule, names.
WORLDS: dict[str, tuple[str, list[str], list[str], list[str], str, list[str]]] = {
    "en": ("tasks.md", ["sentence", "head", "tail", "relation"], ["buys", "is bought by", "none"],
           ["{} buys all shares of {}", "{} was taken over by {}", "{} and {} were at the fair"], "lawsuit",
           ["Acme", "Bolt", "Dyno", "Erdo", "Fima", "Gora"]),
    "zh": ("zh/tasks.md", ["句子", "头实体", "尾实体", "关系"], ["收购", "被收购", "无"],
           ["{}收购了{}的全部股份", "{}已经卖给{}", "{}与{}都参加了展会"], "诉讼",
           ["东方", "长城", "南山", "北海", "西湖", "中原"]),
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("short_times")


def rows(language: str, count: int = 700) -> list[tuple[str, str, str, str]]:
    """Sentences about two companies, half of them told from the other side; each differs by a name in it."""
    _, _, labels, forms, _, names = WORLDS[language]
    draw, found = random.Random(7), []
    for number in range(count):
        one, other = draw.sample(names, 2)
        kind = draw.randrange(3)
        mark = chr(ord("a") + number % 26) + chr(ord("a") + number // 26)
        sentence = f"{forms[kind].format(one, other)} {mark}{mark[::-1]}"
        if draw.random() < 0.5:
            one, other, kind = other, one, (1, 0, 2)[kind]
        found.append((sentence, one, other, labels[kind]))
    return found


def write(folder: Path, language: str) -> None:
    page, columns, *_ = WORLDS[language]
    text = (DOCS / page).read_text(encoding="utf-8")
    found = dict(reversed(FENCE.findall(text[text.index("## `relate`") :])))
    (folder / "rules.csv").write_text(found["csv"], encoding="utf-8")
    decide = "decide: {max_error: 0.2, audit: 0, rules: rules.csv}\nthreads: 1\n"
    (folder / "recipe.yaml").write_text(found["yaml"] + decide, encoding="utf-8")
    write_rows(folder / "rows.csv", columns, rows(language))


def write_rows(path: Path, columns: list[str], lines: list[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *lines])


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.whole)])
def test_the_recipe_of_the_page_goes_the_whole_way(language: str, penjing: Callable[..., Any], tmp_path: Path) -> None:
    _, columns, labels, forms, word, names = WORLDS[language]
    write(tmp_path, language)
    made = penjing("make", "recipe.yaml")
    assert made.code == 0, made.err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["test"]["metric"] == "micro_f1" and report["test"]["metrics"]["micro_f1"]["value"] > 0.9
    one, other = names[:2]
    sentence = forms[0].format(one, other) + " qz"
    new = [(sentence, one, other), (sentence, other, one), (f"{sentence} {word}", one, other), (sentence, one, "Zyx")]
    write_rows(tmp_path / "new.csv", columns[:3], new)
    done = penjing("decide", "out/release", "new.csv", "--evidence", "--why")
    assert done.code == 3 and "tail `Zyx` is not in the text" in str(done.lines[3]["error"])
    assert [line["outcome"] for line in done.lines[:2]] == labels[:2], "the direction counts"
    assert done.lines[2]["fired"] and done.lines[2]["route"] == "review"
    assert done.lines[0]["text"] == join_texts(sentence, one, other)
    assert all("\x1f" not in span["text"] for line in done.lines[:3] for span in line["evidence"]["spans"])
    assert penjing("replay", "--all").lines == [{"replayed": 3, "same": 3, "different": 0, "model_exact": 3}]
    _rules_see_the_ends(tmp_path, penjing, language)
    _is_amended(tmp_path, penjing, language)
    _is_served(tmp_path, (sentence, one, other), labels[0])


def _rules_see_the_ends(folder: Path, penjing: Callable[..., Any], language: str) -> None:
    """The rule about the head fires for it alone; the record has what the rule asks, and the reason is in words."""
    _, columns, _, forms, _, names = WORLDS[language]
    ours, other = names[4], names[5]
    buys, sold = forms[0].format(ours, other) + " qz", forms[0].format(other, ours) + " qz"
    write_rows(folder / "ends.csv", columns[:3], [(buys, ours, other), (sold, other, ours)])
    first, second = penjing("decide", "out/release", "ends.csv", "--why", "--db", "sqlite:///ends.db").lines
    assert len(first["fired"]) == 1 and first["reason"] == "rule_review"
    assert first["facts"]["head.text"] == {"values": [ours.lower()]} and second["facts"]["head.text"] == {}
    assert not second["fired"], "the company is the tail there"
    found = penjing("replay", "--all", "--db", "sqlite:///ends.db").lines
    assert found == [{"replayed": 2, "same": 2, "different": 0, "model_exact": 2}]


def _is_amended(folder: Path, penjing: Callable[..., Any], language: str) -> None:
    """Exported decisions with their verdicts are labelled rows that `amend` reads."""
    _, columns, *_ = WORLDS[language]
    fresh = [
        (f"{sentence} {number}", *ends, label) for number, (sentence, *ends, label) in enumerate(rows(language, 90))
    ]
    write_rows(folder / "fresh.csv", columns, fresh)
    done = penjing("amend", "out/release", "--rules", "rules.csv", "--data", "fresh.csv", "--out", "amended")
    assert done.code == 0 and "90 rows given, 0 used before" in done.err, done.err
    assert penjing("export", "decisions", "all.csv").code == 0
    with (folder / "all.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert json.loads(lines[0]["other"]) == list(json.loads(lines[1]["other"]))[::-1]


def _is_served(folder: Path, texts: tuple[str, str, str], outcome: str) -> None:
    store = open_store(f"sqlite:///{folder / 'penjing.db'}")
    settings = Settings(threads=1, cache=str(folder), state_seconds=0)
    service = DecisionService(open_release(folder / "out" / "release"), store, settings)
    with TestClient(build_app(service, KeyRing(store, required=False)), base_url="http://127.0.0.1") as client:
        item = dict(zip(("text", "head", "tail"), texts, strict=True))
        made = client.post("/v1/decide", json=item | {"evidence": True, "counterfactual": True}).json()
        assert made["outcome"] == outcome and made["text"] == join_texts(*texts)
        left = split_texts(made["counterfactual"].get("text", made["text"]))
        assert left[1] in left[0] and left[2] in left[0], "what is left is a case that can be asked"
        replayed = client.post(f"/v1/decisions/{made['id']}/replay").json()
        assert replayed["same"] and replayed["model"]["exact"]
        for wrong, said in (
            ({"text": texts[0], "head": texts[1]}, "`text`, `head`, `tail`"),
            ({"text": texts[0]}, "`text`, `head`, `tail`"),
            ({**item, "head": "Zyx"}, "is not in the text"),
            ({**item, "other": "x"}, "does not read `other`"),
        ):
            answer = client.post("/v1/decide", json=wrong)
            assert answer.status_code == 422 and said in answer.json()["error"]["message"], answer.text


def test_init_finds_the_head_and_the_tail(penjing: Callable[..., Any], tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.csv", WORLDS["zh"][1], rows("zh", 300))
    done = penjing("init", "service", "--data", "rows.csv")
    assert done.code == 0, done.err
    recipe = (tmp_path / "service" / "recipe.yaml").read_text(encoding="utf-8")
    assert "task: {type: relate}" in recipe and "head: 头实体" in recipe and "tail: 尾实体" in recipe
    assert penjing("check", "service/recipe.yaml").code == 0


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("Acme buys Bolt", "Zyx", "Bolt", "buys"), "the head `Zyx` is not in the text"),
        (("Acme buys Bolt", "Acme", "bolt", "buys"), "the tail `bolt` is not in the text"),
        (("Acme buys Bolt", "acme", "Bolt", "buys"), "the head `acme` is not in the text"),
        (("Acme\x00 buys Bolt", "Acme", "Bolt", "buys"), "NUL"),
        (("Acme buys Bolt", "Acme\x00", "Bolt", "buys"), "NUL"),
        (("Acme buys Bolt", "Acme", "Bolt", "x" * 300), "a label of 300 characters"),
    ],
)
def test_rows_that_are_no_case_are_refused_with_their_line(
    row: tuple[str, ...], said: str, penjing: Callable[..., Any], tmp_path: Path
) -> None:
    write(tmp_path, "en")
    write_rows(tmp_path / "rows.csv", WORLDS["en"][1], [*rows("en", 200), row])
    done = penjing("check", "recipe.yaml")
    assert done.code != 0 and said in done.out + done.err and "201" in done.out + done.err, done.out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("head: head, ", "", "`data:` lacks `head`"),
        ("tail: tail, ", "other: tail, ", "`data:` lacks `tail`"),
        ("tail: tail, ", "tail: sentence, ", "are both the column"),
        ("none: none", "none: never", "which `none` names"),
        ("type: relate, none: none", "type: classify", "`head` is a column of texts"),
        ("tune.linear: {}", "compress.cascade: {}", "`compress.cascade`"),
        ("head: head", "head: heads", "there is no column `heads`"),
    ],
)
def test_recipes_that_do_not_fit_are_refused_with_their_line(
    old: str, new: str, said: str, penjing: Callable[..., Any], tmp_path: Path
) -> None:
    write(tmp_path, "en")
    recipe = tmp_path / "recipe.yaml"
    text = recipe.read_text(encoding="utf-8")
    assert old in text
    recipe.write_text(text.replace(old, new), encoding="utf-8")
    done = penjing("check", "recipe.yaml")
    assert done.code != 0 and said in done.out + done.err, done.out + done.err
