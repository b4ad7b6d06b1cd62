"""The recipe of docs/tasks.md for several labels a text, in both languages: from the file to a verdict."""

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
from penjing.serve.app import build_app
from penjing.serve.auth import KeyRing
from penjing.serve.service import DecisionService
from penjing.serve.settings import Settings
from penjing.store.database import open_store

DOCS = Path(__file__).parents[1] / "docs"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Page, none, separator, and of each label the words that its texts have.
WORLDS: dict[str, tuple[str, str, str, dict[str, list[str]]]] = {
    "en": ("tasks.md", "none", ";", {
        "card": ["my card is lost", "the card was blocked", "a new card please"],
        "fees": ["the fee is too high", "why this fee", "a fee was charged twice"],
        "loan": ["about my loan", "the loan rate", "a loan for a house"],
    }),
    "zh": ("zh/tasks.md", "无", "；", {
        "银行卡": ["我的银行卡丢了", "银行卡被锁住了", "想办新的银行卡"],
        "费用": ["手续费太高了", "为什么收手续费", "手续费扣了两次"],
        "贷款": ["问一下贷款", "贷款利率是多少", "买房的贷款"],
    }),
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("short_times")


def rows(language: str, count: int = 700) -> list[tuple[str, str]]:
    """Texts of nought to three labels; each differs by its number."""
    _, none, separator, phrases = WORLDS[language]
    draw, found = random.Random(7), []
    for number in range(count):
        labels = draw.sample(sorted(phrases), draw.choice([0, 1, 1, 1, 2, 2, 3]))
        said = [draw.choice(phrases[label]) for label in labels]
        filler = "hello, this is message" if language == "en" else "您好，这是第"
        found.append((f"{filler} {number * 7919 % 99991}: {', '.join(said)}", separator.join(labels) or none))
    return found


def blocks(language: str) -> tuple[str, str]:
    """The recipe and the rules of the page."""
    text = (DOCS / WORLDS[language][0]).read_text(encoding="utf-8")
    section = text[text.index("## `several`") :]
    found = dict(reversed(FENCE.findall(section)))
    return found["yaml"], found["csv"]


def write(folder: Path, language: str) -> None:
    recipe, rules = blocks(language)
    (folder / "rules.csv").write_text(rules, encoding="utf-8")
    decide = "decide: {max_error: 0.2, audit: 0, rules: rules.csv}\nthreads: 1\n"
    (folder / "recipe.yaml").write_text(recipe + decide, encoding="utf-8")
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows(language)])
    text = (folder / "recipe.yaml").read_text(encoding="utf-8")
    (folder / "recipe.yaml").write_text(text.replace("label: labels", "label: label"), encoding="utf-8")


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.whole)])
def test_the_recipe_of_the_page_goes_the_whole_way(language: str, penjing: Callable[..., Any], tmp_path: Path) -> None:
    _, none, separator, phrases = WORLDS[language]
    write(tmp_path, language)
    made = penjing("make", "recipe.yaml")
    assert made.code == 0, made.err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["test"]["metric"] == "micro_f1" and report["test"]["metrics"]["micro_f1"]["value"] > 0.95
    names = sorted(phrases)
    two, three = (" ".join(phrases[name][0] for name in names[:count]) for count in (2, 3))
    (tmp_path / "new.csv").write_text(f"text\n{two}\n{three}\n12345\n", encoding="utf-8")
    lines = penjing("decide", "out/release", "new.csv", "--evidence", "--why").lines
    assert [line["outcome"] for line in lines] == [separator.join(names[:2]), separator.join(names), none]
    assert lines[0]["facts"]["count"] == 2 and lines[2]["fired"], "a rule sends a text without a label to a person"
    assert any(span["text"] in phrases[names[0]][0] for span in lines[0]["evidence"]["spans"])
    assert penjing("replay", "--all").lines == [{"replayed": 3, "same": 3, "different": 0, "model_exact": 3}]
    assert penjing("review", "export", "cases.csv").code == 0
    with (tmp_path / "cases.csv").open(encoding="utf-8-sig", newline="") as file:
        cases = list(csv.DictReader(file))
    waiting = cases[-1] | {"verdict": f"{names[1]} ; {names[0]}"}
    for verdict, code in ((f"{names[0]};{names[0]}", 3), ("?", 3), (waiting["verdict"], 0)):
        with (tmp_path / "cases.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, waiting.keys())
            writer.writeheader()
            writer.writerow(waiting | {"verdict": verdict})
        assert penjing("review", "import", "cases.csv").code == code
    exported = penjing("export", "decisions", "all.jsonl")
    assert exported.code == 0
    found = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()]
    assert separator.join(names[:2]) in [each.get("verdict") for each in found]
    _is_served(tmp_path, two, separator.join(names[:2]))


def _is_served(folder: Path, text: str, outcome: str) -> None:
    store = open_store(f"sqlite:///{folder / 'penjing.db'}")
    settings = Settings(threads=1, cache=str(folder), state_seconds=0)
    service = DecisionService(open_release(folder / "out" / "release"), store, settings)
    with TestClient(build_app(service, KeyRing(store, required=False)), base_url="http://127.0.0.1") as client:
        made = client.post("/v1/decide", json={"text": text, "evidence": True}).json()
        assert made["outcome"] == outcome and made["facts"]["count"] == 2
        replayed = client.post(f"/v1/decisions/{made['id']}/replay").json()
        assert replayed["same"] and replayed["model"]["exact"]
        assert client.get("/readyz").json()["task"]["type"] == "several"


def test_init_writes_the_separator_of_the_data(penjing: Callable[..., Any], tmp_path: Path) -> None:
    lines = [
        json.dumps({"text": text, "label": [] if gold == "none" else gold.split(";")}) for text, gold in rows("en")
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    write(tmp_path, "zh")
    for file, separator in (("rows.jsonl", '";"'), ("rows.csv", '"；"')):
        assert penjing("init", f"to-{file}", "--data", file).code == 0
        text = (tmp_path / f"to-{file}" / "recipe.yaml").read_text(encoding="utf-8")
        assert "task: {type: several}" in text and f"separator: {separator}" in text
        assert penjing("check", f"to-{file}/recipe.yaml").code == 0
    assert penjing("init", "one", "--data", "rows.csv", "--task", "classify").code == 0
    assert "separator" not in (tmp_path / "one" / "recipe.yaml").read_text(encoding="utf-8")


def test_empty_cells_are_texts_without_a_label_where_the_recipe_says_so(
    penjing: Callable[..., Any], tmp_path: Path
) -> None:
    write(tmp_path, "en")
    cells = [(text, "" if gold == "none" else gold) for text, gold in rows("en")]
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *cells])
    empty, recipe = sum(not gold for _, gold in cells), (tmp_path / "recipe.yaml").read_text(encoding="utf-8")
    left_out = penjing("check", "recipe.yaml", "--json").lines[0]
    assert (left_out["no_label"], left_out["used"]) == (empty, len(cells) - empty)
    (fix,) = [each["fix"] for each in left_out["problems"] if each["code"] == "no_label"]
    assert "empty: none" in fix
    (tmp_path / "recipe.yaml").write_text(recipe.replace("{type: several}", "{type: several, empty: none}"), "utf-8")
    taken = penjing("check", "recipe.yaml", "--json").lines[0]
    assert (taken["no_label"], taken["used"]) == (0, len(cells)) and taken["labels"]["none"] == empty
    assert taken["label_rows"]["card"] == sum("card" in gold.split(";") for _, gold in cells)


def test_faults_of_cells_are_named_with_their_rows(penjing: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, "en")
    bad = (
        "card;card", "card|fees", "card;;fees", ";card", "card;none", '["card"', '["card", 7]', '["a;b"]', "card;[fees",
        "card;" + "x" * 5000, ";".join(map(str, range(1001))),
    )  # fmt: skip
    with (tmp_path / "rows.csv").open("a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows((f"a text with a fault {n}", cell) for n, cell in enumerate(bad))
    checked = penjing("check", "recipe.yaml")
    assert checked.code == 3
    first = 2 + len(rows("en"))
    named = {
        int(row) for line in checked.out.splitlines() if line.startswith("error:") for row in re.findall(r"\d+", line)
    }
    assert named >= set(range(first, first + len(bad))), checked.out
    assert "rows.csv" in checked.out


@pytest.mark.parametrize(
    ("task", "data", "place", "words"),
    [
        ("{type: several, separator: ;}", "", ":2:", "write it under `data:`"),
        ("{type: classify}", ", separator: ;", ":3:", "write `task: {type: several}`"),
        ("{type: several}", ", separator: a", ":3:", "which labels or lists are written with"),
        ("{type: several}", ', separator: "[["', ":3:", "separator"),
        ("{type: several, nonne: x}", "", ":2:", "did you mean `none`?"),
    ],
)
def test_faults_of_the_recipe_are_named_with_their_line(
    task: str, data: str, place: str, words: str, penjing: Callable[..., Any], tmp_path: Path
) -> None:
    write(tmp_path, "en")
    columns = f"{{files: rows.csv, text: text, label: label{data}}}"
    text = f"name: a\ntask: {task}\ndata: {columns}\nsteps: [tune.linear: {{}}]\n"
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    checked = penjing("check", "recipe.yaml")
    told = checked.out + checked.err
    assert checked.code in (2, 3) and f"recipe.yaml{place}" in told and words in told, told


def test_rules_are_checked_and_tested_over_given_labels(penjing: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, "en")
    cases = (
        "count,has.fees,p.card,text,expected\n0,no,0.1,hello,review\n2,yes,0.4,a fee,review\n1,yes,0.1,a fee,model\n"
    )
    (tmp_path / "cases.csv").write_text(cases, encoding="utf-8")
    assert penjing("rules", "check", "rules.csv").code == 0
    tested = penjing("rules", "test", "rules.csv", "cases.csv")
    assert tested.code == 0, tested.out + tested.err
