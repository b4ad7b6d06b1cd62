"""Annotated texts without a named task are pieces to find; what else the file has is said."""

from __future__ import annotations

import json
from pathlib import Path

from penjing.data.guess_annotated import guess_form

SPANS = [{"start": 0, "end": 1, "label": "X"}, {"start": 1, "end": 2, "label": "X"}]


def test_relations_are_said_where_entities_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "ab", "entities": SPANS}), encoding="utf-8")
    plain = guess_form(path, None)
    assert plain is not None and (plain.form, plain.spans, plain.notes) == ("jsonl", True, ())
    relations = [{"head": 0, "tail": 1, "label": "r"}]
    path.write_text(json.dumps({"text": "ab", "entities": SPANS, "relations": relations}), encoding="utf-8")
    related = guess_form(path, None)
    assert related is not None and ["--task triples" in note for note in related.notes] == [True]
    path.write_text("text,label\na,b\n", encoding="utf-8")
    assert guess_form(path, None) is None
