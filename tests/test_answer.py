"""The recipe of docs/tasks.md for answers, in both languages: from the file to a verdict; and what is refused."""

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
# Page, columns, questions about place and sum, how a passage says them, how it ends, places.
WORLDS: dict[str, tuple[str, list[str], tuple[str, str], tuple[str, str], str, tuple[str, ...]]] = {
    "en": ("tasks.md", ["passage", "question", "answer"], ("Where is the site?", "How much is paid?"),
           ("The site is in {}.", "The sum of {} is paid."), "Done by {}.", ("Leeds", "Oslo", "Lima", "York")),
    "zh": ("zh/tasks.md", ["原文", "问题", "答案"], ("工地在哪里？", "付款多少？"),
           ("工地在{}市。", "付款{}元整。"), "经手人{}。", ("青岛", "大连", "成都", "西安")),
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("short_times")


def rows(language: str, count: int = 600) -> list[tuple[str, str, str]]:
    """Passages that say a place, a sum or both, with a question about one; `[]` where the passage does not say it."""
    _, _, questions, forms, end, places = WORLDS[language]
    draw, found = random.Random(5), []
    for number in range(count):
        answers = (draw.choice(places), str(draw.randint(100, 9999)))
        kept = [side for side in (0, 1) if draw.random() < 0.75] or [0]
        said = [forms[side].format(answers[side]) for side in kept]
        draw.shuffle(said)
        asked = draw.randrange(2)
        name = chr(ord("a") + number % 26) + chr(ord("a") + number // 26)
        passage = " ".join([*said, end.format(name + name[::-1])])
        found.append((passage, questions[asked], answers[asked] if asked in kept else "[]"))
    return found


def write_rows(path: Path, columns: list[str], lines: list[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *lines])


def write(folder: Path, language: str) -> None:
    page, columns, *_ = WORLDS[language]
    text = (DOCS / page).read_text(encoding="utf-8")
    found = dict(reversed(FENCE.findall(text[text.index("## `answer`") :])))
    (folder / "rules.csv").write_text(found["csv"], encoding="utf-8")
    decide = "decide: {max_error: 0.2, audit: 0, rules: rules.csv}\nthreads: 1\n"
    (folder / "recipe.yaml").write_text(found["yaml"] + decide, encoding="utf-8")
    write_rows(folder / "rows.csv", columns, rows(language))


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.whole)])
def test_the_recipe_of_the_page_goes_the_whole_way(language: str, penjing: Callable[..., Any], tmp_path: Path) -> None:
    _, columns, questions, forms, _, places = WORLDS[language]
    write(tmp_path, language)
    made = penjing("make", "recipe.yaml")
    assert made.code == 0, made.err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["test"]["metric"] == "exact_match" and report["test"]["metrics"]["exact_match"]["value"] > 0.9
    assert report["calibration"]["ece"]["before"] is not None
    assert {block["name"] for block in report["sections"]} == {
        "answers_by_kind", "answer_errors", "answers_by_probability",
    }  # fmt: skip
    passage = f"  {forms[1].format(4321)} {forms[0].format(places[0])}"
    new = [(passage, questions[0]), (passage, questions[1]), (forms[1].format(77), questions[0]), (passage, "")]
    write_rows(tmp_path / "new.csv", columns[:2], new)
    done = penjing("decide", "out/release", "new.csv", "--evidence", "--why")
    assert done.code == 3 and "error" in done.lines[3]
    own = [[passage[one["start"] : one["end"]] for one in line["in_text"]] for line in done.lines[:2]]
    assert own == [[places[0]], ["4321"]], "places are those of the user's own text"
    assert done.lines[2]["route"] == "review" and done.lines[2]["fired"], "a rule sends what has no answer to a person"
    assert all("\x1f" not in span["text"] for line in done.lines[:3] for span in line["evidence"]["spans"])
    assert penjing("replay", "--all").lines == [{"replayed": 3, "same": 3, "different": 0, "model_exact": 3}]
    _is_amended(tmp_path, penjing, language)
    _is_served(tmp_path, (passage.strip(), questions[0]), places[0])


def _is_amended(folder: Path, penjing: Callable[..., Any], language: str) -> None:
    _, columns, *_ = WORLDS[language]
    fresh = [(f"{passage} {number}", *rest) for number, (passage, *rest) in enumerate(rows(language, 90))]
    write_rows(folder / "fresh.csv", columns, fresh)
    done = penjing("amend", "out/release", "--rules", "rules.csv", "--data", "fresh.csv", "--out", "amended")
    assert done.code == 0 and "90 rows given, 0 used before" in done.err, done.err


def _is_served(folder: Path, texts: tuple[str, str], answer: str) -> None:
    store = open_store(f"sqlite:///{folder / 'penjing.db'}")
    settings = Settings(threads=1, cache=str(folder), state_seconds=0)
    service = DecisionService(open_release(folder / "out" / "release"), store, settings)
    with TestClient(build_app(service, KeyRing(store, required=False)), base_url="http://127.0.0.1") as client:
        item = dict(zip(("text", "question"), texts, strict=True))
        made = client.post("/v1/decide", json=item | {"evidence": True, "counterfactual": True}).json()
        assert [texts[0][one["start"] : one["end"]] for one in made["in_text"]] == [answer]
        assert made["text"] == join_texts(*texts)
        replayed = client.post(f"/v1/decisions/{made['id']}/replay").json()
        assert replayed["same"] and replayed["model"]["exact"]
        for wrong, said in (
            ({"text": texts[0]}, "`question`"),
            ({**item, "other": "x"}, "does not read `other`"),
            ({**item, "question": 3}, "question"),
        ):
            refused = client.post("/v1/decide", json=wrong)
            assert refused.status_code == 422 and said in refused.json()["error"]["message"], refused.text


def squad(language: str, count: int) -> dict[str, Any]:
    """The rows as SQuAD JSON."""
    paragraphs = []
    for number, (passage, question, answer) in enumerate(rows(language, count)):
        answers = [] if answer == "[]" else [{"text": answer, "answer_start": passage.index(answer)}]
        asked = {"id": str(number), "question": question, "answers": answers}
        paragraphs.append({"context": passage, "qas": [asked]})
    return {"data": [{"paragraphs": paragraphs}]}


@pytest.mark.parametrize("form", ["table", "squad"])
def test_init_finds_the_questions(form: str, penjing: Callable[..., Any], tmp_path: Path) -> None:
    if form == "squad":
        (tmp_path / "rows").write_text(json.dumps(squad("zh", 300)), encoding="utf-8")
    else:
        write_rows(tmp_path / "rows", WORLDS["zh"][1], rows("zh", 300))
    done = penjing("init", "service", "--data", "rows")
    assert done.code == 0, done.err
    recipe = (tmp_path / "service" / "recipe.yaml").read_text(encoding="utf-8")
    assert "task: {type: answer}" in recipe and "max_tokens: 256" in recipe
    assert f"question: {'问题' if form == 'table' else 'question'}" in recipe
    assert penjing("check", "service/recipe.yaml").code == 0


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("Ann is in Oslo.", "where?", "Rome"), "the answer `Rome` is not in the text"),
        (("Ann is in Oslo.", "where?", '[{"start": 0, "end": 99}]'), "is not within the text"),
        (("Ann is in Oslo.", "where?", '[{"start": 16, "end": 20}]'), "is not within the text"),
        (("Ann is in Oslo.", "where?", '[{"start": 5, "end": 5}]'), "are not two whole numbers"),
        (("Ann is in Oslo.", "where?", '[{"start": 0, "end": 3, "text": "Ann"}]'), "has not the keys"),
        (("Ann is in Oslo.", "where?", "[Oslo]"), "is no JSON list of places"),
        (("Ann is in Oslo.", "where?\x00", "Oslo"), "NUL"),
        (("Ann\x00 is in Oslo.", "where?", "Oslo"), "NUL"),
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
        ("question: question, ", "", "`data:` lacks `question`"),
        ("question: question, ", "question: passage, ", "are both the column"),
        ("type: answer", "type: classify", "`question` is a column of texts"),
        ("tune.linear: {}", "compress.cascade: {}", "`compress.cascade`"),
        ("question: question", "question: asked", "there is no column `asked`"),
        ("type: answer", "type: answer, none: no", "none"),
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
