"""Annotated files are told from tables, and tables are never taken for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penjing.core.errors import UsageError
from penjing.data.find_form import find_form, has_relations
from penjing.data.guess import guess

CONLL = "张 B-NAME\n三 E-NAME\n来 O\n\n他 O\n来 O\n"
PLACED = {"start": 0, "end": 1, "label": "X"}
SPANS = {"text": "ab", "label": [[0, 1, "X"]]}
TASK = {"data": {"text": "ab"}, "annotations": [{"result": [{"type": "labels", "value": {}}]}]}
CHOICE = {"data": {"text": "ab"}, "annotations": [{"result": [{"type": "choices", "value": {"choices": ["a"]}}]}]}
QUESTIONS = {"version": "1", "data": [{"paragraphs": [{"context": "ab", "qas": []}]}]}


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (CONLL, "conll"),
        (CONLL.replace(" ", "\t").replace("\n", "\r\n"), "conll"),
        (json.dumps(SPANS) + "\n" + json.dumps(SPANS), "jsonl"),
        (json.dumps([SPANS], indent=2), "jsonl"),
        (json.dumps({"text": "ab", "entities": [{"start_offset": 0, "end_offset": 1, "label": "X"}]}), "jsonl"),
        (json.dumps({"text": "ab", "label": {"X": {"a": [[0, 0]]}}}, indent=1), "jsonl"),
        (json.dumps({"text": "ab", "entities": []}) + "\n" + json.dumps({"text": "ab", "entities": [PLACED]}), "jsonl"),
        (json.dumps({"data": [{"text": "ab", "entities": [PLACED], "relations": []}]}), "jsonl"),
        (json.dumps({"text": "ab", "spo_list": [{"subject": "a", "predicate": "r", "object": "b"}]}), "jsonl"),
        (json.dumps({"text": "ab", "triples": [["a", "r", "b"]]}), "jsonl"),
        (json.dumps({"text": "ab", "triples": {"entities": [], "relations": []}}), "jsonl"),
        (json.dumps({"text": "ab", "label": "X", "triples": [["a", "r", "b"]]}), None),
        (json.dumps([{"paragraphs": [{"context": "ab", "qas": []}]}]), "squad"),
        (json.dumps([TASK]), "label_studio"),
        (json.dumps(QUESTIONS), "squad"),
        ("text,label\nhello,good\nbye,bad\n", None),
        ("word tag\nO O\n", None),
        ("grade\tclass\nB-1\tB-good\nA\tS-bad\n", None),
        (json.dumps({"text": "ab", "label": ["X"]}), None),
        (json.dumps({"text": "ab", "label": "X"}), None),
        (json.dumps({"text": "ab", "label": []}), None),
        (json.dumps([CHOICE]), None),
        ("[broken", None),
        ("", None),
    ],
)
def test_what_a_file_is(tmp_path: Path, content: str, form: str | None) -> None:
    (tmp_path / "a.txt").write_bytes(content.encode())
    assert find_form(tmp_path / "a.txt") == form


def test_whether_the_pieces_are_related(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(SPANS), encoding="utf-8")
    assert not has_relations(path) and not has_relations(tmp_path)
    path.write_text(json.dumps(SPANS) + "\n" + json.dumps({"text": "ab", "spo_list": [["a", "r", "b"]]}), "utf-8")
    assert has_relations(path)


def test_folders_and_what_is_absent(tmp_path: Path) -> None:
    assert find_form(tmp_path) is None and find_form(tmp_path / "absent") is None
    (tmp_path / "a.ann").write_text("")
    assert find_form(tmp_path) == "brat"


def test_init_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(QUESTIONS), encoding="utf-8")
    with pytest.raises(UsageError, match="these are annotated texts, not a table of texts and labels") as caught:
        guess(tmp_path / "a.json", further=())
    assert guess(tmp_path / "a.json").question == "question"
    assert "`format: squad`" in (caught.value.fix or "")
