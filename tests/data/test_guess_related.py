"""Where `penjing init --task triples` finds entities and their relations, and what it says where it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penjing.core.errors import DataError
from penjing.data.guess_related import guess_related
from penjing.data.read import Reading

GOLD = {
    "entities": [{"start": 0, "end": 4, "label": "ORG"}, {"start": 10, "end": 14, "label": "ORG"}],
    "relations": [{"head": 0, "tail": 1, "label": "buys"}],
}
NONE = {"entities": [], "relations": []}
TEXT = "Acme sold Gobi to us"


def guessed(path: Path, content: str, text: str | None = None, label: str | None = None) -> tuple[object, ...]:
    path.write_text(content, encoding="utf-8")
    found = guess_related(path, "triples", text, label, Reading())
    return found.form, found.text, found.label


def lines(*rows: dict[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_annotated_texts_are_read_by_their_form(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert guessed(path, lines({"text": TEXT, **NONE}, {"text": TEXT, **GOLD})) == ("jsonl", "text", "label")
    assert guessed(path, lines({"body": TEXT, **GOLD}), "body", "triples") == ("jsonl", "body", "label")
    assert guessed(path, lines({"text": TEXT, "triples": GOLD})) == ("jsonl", "text", "label")


@pytest.mark.parametrize("header", ["text,head,relation,tail", "内容,主体,关系,客体", "note,subject,predicate,object"])
def test_a_table_of_triples_is_known_by_its_columns(tmp_path: Path, header: str) -> None:
    content = f"{header}\n" + "".join(f"Acme sold Gobi {n},Acme,sold,Gobi\n" for n in range(9))
    assert guessed(tmp_path / "a.csv", content) == ("triples", header.partition(",")[0], "label")


def test_a_column_of_gold_is_taken_by_its_name_or_as_it_is_given(tmp_path: Path) -> None:
    cell = json.dumps(GOLD).replace('"', '""')
    content = "".join(f'"Acme sold Gobi in our town, {n}","{cell}"\n' for n in range(9))
    assert guessed(tmp_path / "a.csv", f"text,triples\n{content}") == (None, "text", "triples")
    assert guessed(tmp_path / "a.csv", f"text,gold\n{content}", label="gold") == (None, "text", "gold")


@pytest.mark.parametrize(
    ("content", "said", "fix"),
    [
        ("text,label\nAcme sold it,good\n", "the columns are `text`, `label`", '"spo_list": [{"subject": …'),
        ('text,entities,relations\n"a b","[]","[]"\n', "`entities`, `relations`", "`text`, `head`, `relation`, `tail`"),
        ("text,triples\nAcme sold it,good\n", "the column `triples` has no entities", 'write {"entities": [{"start"'),
    ],
)
def test_another_file_is_told_what_to_give(tmp_path: Path, content: str, said: str, fix: str) -> None:
    with pytest.raises(DataError) as caught:
        guessed(tmp_path / "a.csv", content)
    assert said in str(caught.value) and fix in (caught.value.fix or "")
