"""Relations in JSON, in the forms that people have them in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penjing.data.annotated.document import AnnotatedText, as_cells, checked
from penjing.data.annotated.json_spans import read
from penjing.data.annotated.lines import Given
from penjing.data.cells import Fault
from penjing.tasks.triples_gold import Triple, read_graph

TEXT = "👍 东航合并上航"
HEAD, TAIL = {"start": 2, "end": 4, "label": "ORG"}, {"start": 6, "end": 8, "label": "ORG"}
WORDS = {"subject": "东航", "predicate": "合并", "object": "上航"}
NAMED = {"subject_type": "ORG", "object_type": "ORG"}
LAST = {"text": "none"}  # an object alone may be one around the rows
ORG = frozenset({((2, 4, "ORG"), "合并", (6, 8, "ORG"))})
PLAIN = frozenset({((2, 4, "entity"), "合并", (6, 8, "entity"))})


def reading(tmp_path: Path, *rows: dict[str, Any]) -> tuple[list[AnnotatedText | Fault], list[str]]:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [*rows, LAST]), encoding="utf-8")
    given = Given(path, "utf-8")
    return [each if isinstance(each, Fault) else checked(each) for each in read(given)][: len(rows)], given.notes


def triples(document: AnnotatedText | Fault) -> frozenset[Triple]:
    assert isinstance(document, AnnotatedText), document
    return read_graph(as_cells(document)["triples"]).triples


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"entities": [TAIL, HEAD], "relations": [{"head": 1, "tail": 0, "label": "合并"}]}, ORG),
        ({"entities": [HEAD, TAIL], "relations": [{"head": "东航", "tail": "上航", "type": "合并"}]}, ORG),
        ({"entities": [HEAD, TAIL], "spo_list": [WORDS]}, ORG),
        ({"spo_list": [WORDS | NAMED], "postag": [{"word": "东航", "pos": "nt"}]}, ORG),
        ({"spo_list": [WORDS]}, PLAIN),
        ({"spo_list": [["东航", "合并", "上航"]]}, PLAIN),
        ({"triples": [["东航", "合并", "上航"]]}, PLAIN),
        ({"triple_list": [{"head": "东航", "relation": "合并", "tail": "上航"}]}, PLAIN),
        ({"relations": [{"head": "东航", "relation": "合并", "tail": "上航"}]}, PLAIN),
        ({"relationMentions": [{"em1Text": "东航", "em2Text": "上航", "label": "合并"}]}, PLAIN),
        ({"relations": [{"head": HEAD, "tail": TAIL, "label": "合并"}]}, ORG),
        ({"relations": [{"head": 0, "child": 3, "head_span": HEAD, "child_span": TAIL, "label": "合并"}]}, ORG),
        ({"triples": {"entities": [HEAD, TAIL], "relations": [{"head": 0, "tail": 1, "label": "合并"}]}}, ORG),
        ({"triples": json.dumps({"entities": [], "relations": []}), "label": "x"}, frozenset()),
        (
            {
                "entities": [{"id": "e1", "name": "东航", "type": "ORG", "pos": [2, 4]}, {"id": "e2", **TAIL}],
                "relations": [{"h": "e1", "t": "e2", "r": "合并"}],
            },
            ORG,
        ),
        (
            {
                "entities": [{"text": "东航", "type": "ORG"}, {"text": "上航", "type": "ORG"}],
                "relations": [{"head": "东航", "tail": "上航", "type": "合并"}],
            },
            ORG,
        ),
    ],
)
def test_the_forms_say_the_same(tmp_path: Path, row: dict[str, Any], wanted: frozenset[Triple]) -> None:
    (found,), _ = reading(tmp_path, {"text": TEXT, **row})
    assert triples(found) == wanted


def test_an_event_of_several_objects_is_several_relations(tmp_path: Path) -> None:
    value = {"@value": "周杰", "inWork": "春天", "period": ""}
    types = {"subject_type": "歌手", "object_type": {"@value": "人物", "inWork": "作品"}}
    one = {"subject": "李雷", "predicate": "配音", "object": value, **types}
    (found,), _ = reading(tmp_path, {"text": "李雷在春天里给周杰配音", "spo_list": [one]})
    head = (0, 2, "歌手")
    assert triples(found) == {(head, "配音", (7, 9, "人物")), (head, "配音.inWork", (3, 5, "作品"))}


def test_one_word_is_one_entity_and_what_is_chosen_is_noted(tmp_path: Path) -> None:
    rows = [
        {"subject": "东航", "predicate": "合并", "object": "上航", "subject_type": "ORG"},
        {"subject": "上航", "predicate": "属于", "object": "东航", "object_type": "企业"},
    ]
    (found,), notes = reading(tmp_path, {"text": "东航说东航合并上航", "spo_list": rows})
    assert {(head[2], tail[2]) for head, _, tail in triples(found)} == {("ORG", "entity"), ("entity", "ORG")}
    assert [note.partition(" rows in which ")[2] for note in notes] == [
        "an entity without a place is in the text several times, the first in row 1: its first free place is taken",
        "one entity has several types, the first in row 1: its first type is taken",
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"spo_list": [WORDS | {"object": "国航"}]}, "`国航` is not in the text of its row"),
        ({"spo_list": [WORDS | {"object": " "}]}, "as a head or tail, which names no entity"),
        ({"spo_list": [WORDS | {"predicate": ""}]}, "which is no relation"),
        ({"spo_list": [["东航", "合并"]]}, "which is no relation"),
        ({"spo_list": {"东航": "上航"}}, "which is no list of relations"),
        ({"triples": 3}, "which is no list of relations"),
        ({"relations": [{"head": True, "tail": 0, "label": "x"}]}, "which names no entity"),
        ({"relations": [{"head": 0, "tail": 1, "label": "x"}]}, "names a span that is not there"),
        ({"entities": [{"id": "a", **HEAD}], "relations": [{"head": "a", "tail": "东", "label": "x"}]}, "is not there"),
    ],
)
def test_what_names_nothing_is_refused_with_its_row(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    found, _ = reading(tmp_path, {"text": TEXT}, {"text": TEXT, **row})
    assert isinstance(found[1], Fault) and found[1].row == 2 and said in found[1].what


def test_a_number_is_no_second_name_of_an_entity_with_an_id(tmp_path: Path) -> None:
    link = {"head": 1, "tail": 1, "label": "合并"}
    for entities in ([{"id": 1, **HEAD}, TAIL], [TAIL, {"id": 0, **HEAD}]):
        (found,), _ = reading(tmp_path, {"text": TEXT, "entities": entities, "relations": [link]})
        assert isinstance(found, Fault) and found.what.startswith("two entities have the id")
