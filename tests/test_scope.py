"""The page docs/scope.md in both languages: a text that fits no label goes to a person, in every command and served."""

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
# Page, words of each label (the last is the one that a rule forces), common words, usual texts, texts from outside.
WORLDS: dict[str, tuple[str, dict[str, str], str, str, list[str]]] = {
    "en": (
        "scope.md",
        {
            "card": "card lost stolen blocked pin chip",
            "fees": "fee charge twice refund statement",
            "other": "bye weather",
        },
        "please my the a is about why can you tell me help with",
        "hello there",
        ["xqzv kkwj zzpl", "今天天气怎么样", "@@@@ #### ~~~~"],
    ),
    "zh": (
        "zh/scope.md",
        {"卡": "银行卡 丢了 被盗 锁住 密码 芯片", "费用": "手续费 扣了 两次 退款 账单", "其他": "再见 天气"},
        "请问 我的 这个 是 关于 为什么 可以 告诉 帮忙 一下",
        "你好呀",
        ["xqzv kkwj zzpl", "Bonjour tout le monde", "@@@@ #### ~~~~"],
    ),
}
pytestmark = pytest.mark.usefixtures("short_times")


def rows(language: str, count: int = 700) -> list[tuple[str, str]]:
    _, labels, common, _, _ = WORLDS[language]
    draw, join = random.Random(3), " " if language == "en" else ""
    found: dict[str, str] = {}
    while len(found) < count:
        label = draw.choice(sorted(labels))
        words = draw.choices(labels[label].split(), k=draw.randint(1, 3)) + draw.choices(common.split(), k=5)
        found[join.join(draw.sample(words, len(words)))] = label
    return list(found.items())


def write(folder: Path, language: str) -> None:
    page, _, _, _, outside = WORLDS[language]
    blocks = dict(FENCE.findall((DOCS / page).read_text(encoding="utf-8")))
    (folder / "rules.csv").write_text(blocks["csv"], encoding="utf-8")
    recipe = blocks["yaml"].replace("decide: {", "decide: {rules: rules.csv, audit: 0, ")
    (folder / "recipe.yaml").write_text(recipe + "threads: 1\n", encoding="utf-8")
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows(language)])
    (folder / "other.csv").write_text("\n".join(["text", *outside, ""]), encoding="utf-8")


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.whole)])
def test_the_page_goes_the_whole_way(language: str, penjing: Callable[..., Any], tmp_path: Path) -> None:
    _, labels, _, greeting, outside = WORLDS[language]
    write(tmp_path, language)
    made = penjing("make", "recipe.yaml")
    assert made.code == 0, made.err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    block = next(each for each in report["sections"] if each["name"] == "scope")
    test, other = block["rows"]
    assert test[0] == "test rows" and float(test[2].partition("%")[0]) < 6
    assert other[1:3] == [3.0, "100.0% (29.2% – 100.0%)"] and other[3].startswith("1.000 (")
    usual = [text for text, _ in rows(language)[:3]]
    (tmp_path / "new.csv").write_text("\n".join(["text", *outside, greeting, *usual, ""]), encoding="utf-8")
    predicted = penjing("predict", "out/release", "new.csv").lines
    assert [line["out_of_scope"] for line in predicted] == [True] * 4 + [False] * 3
    assert min(line["far"] for line in predicted[:4]) > max(line["far"] for line in predicted[4:])
    lines = penjing("decide", "out/release", "new.csv", "--evidence", "--why").lines
    assert [line["reason"] for line in lines[:4]] == ["out_of_scope"] * 3 + ["rule_outcome"]
    assert [line["route"] for line in lines] == ["review"] * 3 + ["automatic"] * 4
    assert lines[3]["outcome"] == list(labels)[2] and lines[3]["facts"]["out_of_scope"] is True
    assert not any("far" in line["facts"] for line in lines) and lines[4]["facts"]["out_of_scope"] is False
    assert penjing("replay", "--all").lines == [{"replayed": 7, "same": 7, "different": 0, "model_exact": 7}]
    assert penjing("review", "export", "cases.csv").code == 0
    assert "out_of_scope" in (tmp_path / "cases.csv").read_text(encoding="utf-8-sig")
    assert penjing("verify").code == 0
    _is_served(tmp_path, outside[0], usual[0])
    _is_amended(tmp_path, language, penjing)


def _is_amended(folder: Path, language: str, penjing: Callable[..., Any]) -> None:
    """Other rules on the same model: what is out of scope stays out."""
    with (folder / "more.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows(language, 1200)[700:]])
    (folder / "late.csv").write_text("name,text,out_of_scope,then\nfar,contains ####,yes,review strange\n", "utf-8")
    amended = penjing("amend", "out/release", "--rules", "late.csv", "--data", "more.csv", "--out", "amended", "--json")
    assert amended.code == 0, amended.err
    lines = penjing("decide", "amended", "new.csv").lines
    assert [line["reason"] for line in lines] == [
        *["out_of_scope"] * 2,
        "rule_review",
        "out_of_scope",
        *["above_threshold"] * 3,
    ]
    assert lines[2]["queue"] == "strange" and (folder / "amended" / "scope" / "seen.bin").is_file()


def _is_served(folder: Path, outside: str, usual: str) -> None:
    store = open_store(f"sqlite:///{folder / 'penjing.db'}")
    settings = Settings(threads=1, cache=str(folder), state_seconds=0)
    service = DecisionService(open_release(folder / "out" / "release"), store, settings)
    with TestClient(build_app(service, KeyRing(store, required=False)), base_url="http://127.0.0.1") as client:
        made, sure = (client.post("/v1/decide", json={"text": text}).json() for text in (outside, usual))
        assert (made["route"], made["reason"], made["facts"]["out_of_scope"]) == ("review", "out_of_scope", True)
        assert (sure["route"], sure["facts"]["out_of_scope"]) == ("automatic", False)
        replayed = client.post(f"/v1/decisions/{made['id']}/replay").json()
        assert replayed["same"] and replayed["model"]["exact"]
        predicted = client.post("/v1/predict", json={"text": outside}).json()
        assert predicted["out_of_scope"] is True and 0.5 < predicted["far"] < 1


@pytest.fixture
def english(tmp_path: Path) -> Path:
    write(tmp_path, "en")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("out_of_scope: 0.015", "out_of_scope: -0.1", r"recipe\.yaml:6:\d+"),
        ("out_of_scope: 0.015", "out_of_scope: 0.5", r"recipe\.yaml:6:\d+"),
        ("out_of_scope: 0.015", "out_of_scope: some", r"recipe\.yaml:6:\d+"),
        ("out_of_scope: 0.015", "out_off_scope: 0.015", "did you mean `out_of_scope`"),
        ("other.csv", "missing.csv", r"no such file|there is no file"),
        ("other.csv", "empty.csv", "empty|no text"),
        ("other.csv", "blank.csv", "no text can be read in `blank.csv`"),
        ("other.csv", "wide.csv", "column"),
        ("{other questions: other.csv}", "[other.csv]", r"recipe\.yaml:3:\d+"),
        ("rows.csv", "named.csv", "a field cannot be named `out_of_scope`"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(
    old: str, new: str, words: str, english: Path, penjing: Callable[..., Any]
) -> None:
    (english / "empty.csv").write_text("")
    (english / "blank.csv").write_text("text\n  \n\n")
    (english / "wide.csv").write_text("first,second\na,b\nc,d\n")
    recipe = (english / "recipe.yaml").read_text(encoding="utf-8")
    assert old in recipe
    recipe = recipe.replace(old, new)
    if new == "named.csv":  # rows with a field of that name
        lines = (english / "rows.csv").read_text(encoding="utf-8").splitlines()
        named = [lines[0] + ",out_of_scope", *(f"{line},no" for line in lines[1:])]
        (english / new).write_text("\n".join(named), encoding="utf-8")
        recipe = recipe.replace("label: label,", "label: label, fields: {out_of_scope: bool},")
    (english / "recipe.yaml").write_text(recipe, encoding="utf-8")
    checked = penjing("check", "recipe.yaml")
    assert checked.code in (2, 3) and re.search(words, checked.err + checked.out), checked.err + checked.out


def test_a_rule_over_the_scope_needs_a_scope(english: Path, penjing: Callable[..., Any]) -> None:
    assert penjing("check", "recipe.yaml").code == 0
    recipe = (english / "recipe.yaml").read_text(encoding="utf-8")
    (english / "recipe.yaml").write_text(recipe.replace("0.015", "0"), encoding="utf-8")
    checked = penjing("check", "recipe.yaml")
    assert re.search(r"recipe\.yaml:3:\d+: texts out of scope are named", checked.err + checked.out)
    assert checked.code in (2, 3)
    assert "unknown column `out_of_scope`" in checked.err + checked.out and "rules.csv:1:3" in checked.err + checked.out


def test_a_task_without_a_scope_refuses_one(english: Path, penjing: Callable[..., Any]) -> None:
    recipe = (english / "recipe.yaml").read_text(encoding="utf-8")
    recipe = recipe.replace("type: classify", "type: score").replace("rules: rules.csv, ", "")
    (english / "recipe.yaml").write_text(recipe.replace("rows.csv", "grades.csv"), encoding="utf-8")
    with (english / "grades.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((text, len(label)) for text, label in rows("en"))])
    checked = penjing("check", "recipe.yaml")
    assert checked.code == 3
    for words in (
        "recipe.yaml:6:",
        "the task `score` does not say of a text",
        "recipe.yaml:3:",
        "texts out of scope are",
    ):
        assert words in checked.err + checked.out
