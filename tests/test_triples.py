"""Triples from the raw text, by the recipe of docs/tasks.md: made, decided, replayed, served and given back."""

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
from penjing.core.recipe import load_recipe
from penjing.data.open_annotated import open_annotated
from penjing.make import making
from penjing.report.found import ChosenVariant
from penjing.serve.app import build_app
from penjing.serve.auth import KeyRing
from penjing.serve.service import DecisionService
from penjing.serve.settings import Settings
from penjing.store.database import open_store
from penjing.tasks.triples_gold import read_graph

DOCS = Path(__file__).parents[1] / "docs"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Page, names, each form with its relation and whether the first name is its head, what stands before a form.
Forms = list[tuple[str, str, bool]]
WORLDS: dict[str, tuple[str, list[str], Forms, list[str], str]] = {
    "en": ("tasks.md", ["Acme", "Bolt", "Dyno", "Erdo Works", "Fima", "Gora Ltd"],
           [("{} buys all of {}", "buys", True), ("{} was taken over by {}", "buys", False), ("{} met {}", "", True),
            ("{} supplies {}", "supplies", True)], ["today", "yesterday", "so", "we hear"], " "),
    "zh": ("zh/tasks.md", ["东方", "长城", "南山", "北海集团", "西湖", "中原"],
           [("{}收购了{}", "收购", True), ("{}已经卖给{}", "收购", False), ("{}见过{}", "", True),
            ("{}供货给{}", "供货", True)], ["今天", "昨天", "据说", "报道说"], "，"),
}  # fmt: skip


def rows(language: str, count: int, seed: int = 7) -> list[dict[str, Any]]:
    """Texts of two clauses, each about two companies that are related by its words, or not at all."""
    _, names, forms, before, between = WORLDS[language]
    draw, found = random.Random(seed), []
    for number in range(count):
        text, entities, relations = "", list[dict[str, Any]](), list[dict[str, Any]]()
        for _ in range(draw.choice((1, 2))):
            form, label, first = draw.choice(forms)
            text += draw.choice(before) + between
            ends = []
            for piece in re.split(r"(\{\})", form):
                if piece == "{}":
                    name = draw.choice(names)
                    ends.append(len(entities))
                    entities.append({"start": len(text), "end": len(text) + len(name), "label": "ORG"})
                text += name if piece == "{}" else piece
            if label:
                head, tail = ends if first else ends[::-1]
                relations.append({"head": head, "tail": tail, "label": label})
            text += between
        mark = "".join(chr(ord("a") + (number // 26**place) % 26) for place in range(3)) + str(seed)
        found.append({"text": f"{text}{mark}", "entities": entities, "relations": relations})
    return found


def write(folder: Path, language: str) -> None:
    text = (DOCS / WORLDS[language][0]).read_text(encoding="utf-8")
    found = dict(reversed(FENCE.findall(text[text.index("## `triples`") : text.index("## `together`")])))
    (folder / "rules.csv").write_text(found["csv"], encoding="utf-8")
    decide = "decide: {max_error: 0.10, audit: 0, rules: rules.csv}\nthreads: 1\n"
    recipe = found["yaml"].replace("decide: {max_error: 0.10}\n", decide)
    assert decide in recipe
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    write_lines(folder / "rows.jsonl", rows(language, 600))


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.whole)])
def test_the_recipe_of_the_page_goes_the_whole_way(language: str, penjing: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, language)
    made = penjing("make", "recipe.yaml")
    assert made.code == 0, made.err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["test"]["metric"] == "triple_f1" and report["test"]["metrics"]["triple_f1"]["value"] > 0.9
    assert report["decisions"]["automation_rate"] > 0.3
    fresh = rows(language, 60, seed=8)
    write_lines(tmp_path / "new.jsonl", [{"text": f" 13800138000 {row['text']}"} for row in fresh])
    done = penjing("decide", "out/release", "new.jsonl", "--evidence", "--why")
    assert done.code == 0, done.err
    automatic = [(line, row) for line, row in zip(done.lines, fresh, strict=True) if line["route"] == "automatic"]
    right = [_triples(line["in_text"], 13) == _triples(row) for line, row in automatic]
    assert len(right) > 10 and sum(right) / len(right) > 0.85
    buys = WORLDS[language][2][0][1]
    twice = [line for line in done.lines if line["facts"][f"relation.{buys}.count"] >= 2]
    assert twice and all(line["fired"] and line["route"] == "review" for line in twice)
    assert any(line["evidence"]["spans"] for line in done.lines)
    assert penjing("replay", "--all").lines == [{"replayed": 60, "same": 60, "different": 0, "model_exact": 60}]
    _is_served(tmp_path, fresh[0]["text"])
    _is_reviewed(tmp_path, penjing)
    _is_annotated(tmp_path, language, penjing)


def _triples(row: dict[str, Any], shift: int = 0) -> set[tuple[int, int, str]]:
    starts = [one["start"] - shift for one in row["entities"]]
    return {(starts[one["head"]], starts[one["tail"]], one["label"]) for one in row["relations"]}


def _is_served(folder: Path, text: str) -> None:
    store = open_store(f"sqlite:///{folder / 'penjing.db'}")
    settings = Settings(threads=1, cache=str(folder), state_seconds=0)
    service = DecisionService(open_release(folder / "out" / "release"), store, settings)
    with TestClient(build_app(service, KeyRing(store, required=False)), base_url="http://127.0.0.1") as client:
        made = client.post("/v1/decide", json={"text": text, "evidence": True}).json()
        assert json.loads(made["outcome"])["entities"] == made["in_text"]["entities"]
        replayed = client.post(f"/v1/decisions/{made['id']}/replay").json()
        assert replayed["same"] and replayed["model"]["exact"]


def _is_reviewed(folder: Path, penjing: Callable[..., Any]) -> None:
    """A verdict is read as gold is: of known relations, within the recorded text."""
    assert penjing("review", "export", "cases.csv").code == 0
    with (folder / "cases.csv").open(encoding="utf-8-sig", newline="") as file:
        case = next(csv.DictReader(file))

    def give(verdict: str) -> Any:
        with (folder / "verdicts.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["id", "verdict"], [case["id"], verdict]])
        return penjing("review", "import", "verdicts.csv")

    strange = json.loads(case["outcome"]) | {"relations": [{"head": 0, "tail": 1, "label": "owned"}]}
    refused = give(json.dumps(strange))
    assert refused.code == 3 and "owned" in refused.err
    assert give(case["outcome"]).code == 0


def _is_annotated(folder: Path, language: str, penjing: Callable[..., Any]) -> None:
    """What the model says goes to doccano, and is read again as labelled texts."""
    meant = rows(language, 40, seed=9)
    write_lines(folder / "new.jsonl", [{"text": row["text"]} for row in meant])
    done = penjing("export", "annotations", "out/release", "new.jsonl", "said.jsonl", "--format", "doccano")
    assert done.code == 0, done.err
    said = [cells for _, cells in open_annotated(folder / "said.jsonl", "doccano").rows()]
    found = [json.loads(cells["triples"]) for cells in said if isinstance(cells, dict)]
    assert sum(_triples(one) == _triples(row) for one, row in zip(found, meant, strict=True)) > 30


def test_init_writes_the_column_of_annotated_texts(penjing: Callable[..., Any], tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", rows("en", 200))
    done = penjing("init", "svc", "--data", "rows.jsonl", "--task", "triples")
    assert done.code == 0, done.err
    made = load_recipe(tmp_path / "svc" / "recipe.yaml").recipe
    assert (made.task.type, made.data.format, made.data.label) == ("triples", "jsonl", "triples")
    assert "labels: column `triples`" in done.out


ENCODER = """\
name: deals
language: en
task: {{type: triples}}
data: {{files: rows.jsonl, format: jsonl, label: triples}}
base: {base}
choose: validation
steps:
- tune.full: {{epochs: 12, learning_rate: 3e-3, max_tokens: 16}}
- compress.int8: {{engine: onnx, calibration_texts: 32}}
gates: {{unproven: allow}}
decide: {{max_error: 0.30, audit: 0}}
threads: 1
"""


def deals(count: int, seed: int) -> list[dict[str, Any]]:
    """Two names and a word between them: it relates them, the other way round, or not."""
    draw, found = random.Random(seed), []
    for _ in range(count):
        one, way, other, more = draw.randrange(10), draw.randrange(3), draw.randrange(10), draw.randrange(3, 10)
        text = f"common{more} price{one} common{way} price{other} common{draw.randrange(3, 10)}"
        ends = [{"start": start, "end": start + 6, "label": "ORG"} for start in (8, 23)]
        head = {0: 0, 1: 1}.get(way)
        relations = [] if head is None else [{"head": head, "tail": 1 - head, "label": "buys"}]
        found.append({"text": text, "entities": ends, "relations": relations})
    return found


@pytest.mark.whole
@pytest.mark.usefixtures("short_times")
def test_an_encoder_goes_the_whole_way(
    tiny_base: Path, penjing: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last form is sealed, whether or not it beats word counts, which learn these texts too."""
    monkeypatch.setattr(making, "choose", lambda variants, *_, **__: ChosenVariant(variants[-1], fell_back=False))
    write_lines(tmp_path / "rows.jsonl", deals(500, 1))
    (tmp_path / "recipe.yaml").write_text(ENCODER.format(base=tiny_base), encoding="utf-8")
    made = penjing("make", "recipe.yaml")
    assert made.code == 0, made.err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["test"]["metrics"]["triple_f1"]["value"] > 0.9
    release = open_release(tmp_path / "out" / "release")
    assert release.artifact.card.form == "onnx"
    fresh = deals(40, 2)
    write_lines(tmp_path / "new.jsonl", [{"text": f"  {row['text']}"} for row in fresh])
    done = penjing("decide", "out/release", "new.jsonl", "--evidence", "--why")
    assert done.code == 0, done.err
    right = [_triples(line["in_text"], 2) == _triples(row) for line, row in zip(done.lines, fresh, strict=True)]
    assert sum(right) > 34
    assert all(line["evidence"]["spans"] for line in done.lines)
    assert penjing("replay", "--all").lines == [{"replayed": 40, "same": 40, "different": 0, "model_exact": 40}]
    _is_served(tmp_path, fresh[0]["text"])


TEXT = "Acme buys Bolt"
ACME, BOLT = {"start": 0, "end": 4, "label": "ORG"}, {"start": 10, "end": 14, "label": "ORG"}
BUYS = {"head": 0, "tail": 1, "label": "buys"}
NAMED = [
    {"start": 3, "end": 7, "label": "ORG", "text": "Acme"},
    {"start": 13, "end": 17, "label": "ORG", "text": "Bolt"},
]
PLAIN = {"text": TEXT, "entities": [ACME, BOLT], "relations": [BUYS]}


@pytest.mark.parametrize(
    ("row", "annotated", "cell"),
    [
        ({"entities": [ACME, {**BOLT, "end": 40}]}, "the span 10..40 (`ORG`) is not within", "10..40 is not within"),
        ({"relations": [{**BUYS, "tail": 0}]}, "is of an entity with itself", ""),
        ({"entities": [ACME, {**BOLT, "start": 3}]}, "`ORG` 0..4 and `ORG` 3..14 overlap", ""),
        ({"entities": [ACME, {**ACME, "label": "PER"}, BOLT]}, "`ORG` 0..4 and `PER` 0..4 overlap", ""),
        ({"relations": [{**BUYS, "tail": 7}]}, "names a span that is not there", "names an entity that is not there"),
        ({"entities": [{**ACME, "start": "0"}, BOLT]}, "without a start, an end or a label", "not two whole numbers"),
        ({"entities": [{**ACME, "start": -4}, BOLT]}, "-4..4 (`ORG`) is not within", "not two whole numbers"),
        ({"entities": [{**ACME, "label": " "}, BOLT]}, "without a start, an end or a label", "0..4 is empty"),
        ({"entities": [{**ACME, "end": 0}, BOLT]}, "the span 0..0 (`ORG`) is empty", "not two whole numbers"),
        ({"relations": [{**BUYS, "label": ""}]}, "which is no relation", "an empty or a very long label"),
        ({"relations": [{**BUYS, "label": "x" * 300}]}, "an empty or a very long label", ""),
        ({"relations": [{**BUYS, "label": "a\0b"}]}, "NUL", ""),
        ({"relations": {"buys": [0, 1]}}, "which is no list of relations", "the relations are no list"),
        ({"entities": [{"id": 1, **ACME}, {"id": 1, **BOLT}]}, "two entities have the id `1`", "has not the keys"),
        ({"text": f"é {TEXT}", "entities": NAMED}, "if bytes of UTF-8 are counted", "has not the keys"),
        ({"text": f"👍 {TEXT}", "entities": NAMED}, "if UTF-16 units are counted", "has not the keys"),
    ],
)  # fmt: skip
def test_hostile_rows_are_refused_with_their_row(
    row: dict[str, Any], annotated: str, cell: str, penjing: Callable[..., Any], tmp_path: Path
) -> None:
    lines = [*rows("en", 60), PLAIN | row]
    write_lines(tmp_path / "rows.jsonl", lines)
    _is_refused(penjing, "rows.jsonl, format: jsonl", annotated)
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(["text", "triples"])
        gold = [json.dumps({key: line[key] for key in ("entities", "relations")}) for line in lines]
        csv.writer(file).writerows(zip([line["text"] for line in lines], gold, strict=True))
    _is_refused(penjing, "rows.csv", cell or annotated, "row 62")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (json.dumps(PLAIN)[:-1], "not valid JSON"),
        (json.dumps(PLAIN)[:-1] + ', "relations": []}', "the key `relations` occurs twice"),
        (json.dumps(PLAIN).replace('"tail": 1', '"tail": 1, "tail": 0'), "the key `tail` occurs twice"),
        (json.dumps(PLAIN).replace('"text"', '"note"'), "no text in this row, which has `note`"),
        ("[1]", "not an object with a text and its spans"),
    ],
)
def test_lines_that_are_no_row_are_refused(line: str, said: str, penjing: Callable[..., Any], tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", rows("en", 60))
    with (tmp_path / "rows.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n" + line)
    _is_refused(penjing, "rows.jsonl, format: jsonl", said)


def _is_refused(penjing: Callable[..., Any], files: str, said: str, place: str = "row 61") -> None:
    recipe = "name: x\nlanguage: en\ntask: {type: triples}\nsteps: [tune.linear: {}]\n"
    Path("recipe.yaml").write_text(f"{recipe}data: {{files: {files}, label: triples}}\n", encoding="utf-8")
    done = penjing("check", "recipe.yaml")
    assert done.code == 3 and said in done.out and f": {place}" in done.out, done.out


def test_what_looks_odd_and_is_right_is_kept(tmp_path: Path) -> None:
    """A byte order mark, one triple twice, and several relations of one pair in the same and in the other direction."""
    back = {"head": 1, "tail": 0, "label": "supplies"}
    odd = PLAIN | {"entities": [BOLT, ACME], "relations": [back, back, BUYS, {**back, "label": "owns"}]}
    write_lines(tmp_path / "rows.jsonl", [odd, *rows("en", 60)])
    (tmp_path / "rows.jsonl").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "rows.jsonl").read_bytes())
    (found, *rest) = [cells for _, cells in open_annotated(tmp_path / "rows.jsonl", "jsonl").rows()]
    assert isinstance(found, dict) and len(rest) == 60
    heads = {(head[0], label, tail[0]) for head, label, tail in read_graph(found["triples"]).triples}
    assert heads == {(0, "supplies", 10), (10, "buys", 0), (0, "owns", 10)}
