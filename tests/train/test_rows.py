"""Windows of passages as train rows: all that hold the answer, and one of the others."""

from __future__ import annotations

from pathlib import Path

from penjing.core.nouns import Table
from penjing.core.pair import join_texts
from penjing.tasks.answer import AnswerPassages
from penjing.tasks.answer_gold import write_answers
from penjing.tasks.classify import Classify
from penjing.text.passages import reads_passages
from penjing.text.tokens import open_tokenizer
from penjing.train.rows import fit_tokenizer, read_rows


def test_rows_of_a_passage(tiny_base: Path) -> None:
    task = AnswerPassages(none=True)
    tokenizer = fit_tokenizer(open_tokenizer(tiny_base), task)
    assert reads_passages(tokenizer)
    passage = " ".join(f"price{n % 3}" for n in range(60)) + " order"
    start = len(passage) - 5
    gold = write_answers([(start, start + 5, "answer")])
    table = Table(
        [join_texts(passage, "order"), join_texts(passage, "price1"), join_texts("price1", "a")], [gold, "[]", "[]"]
    )
    found = read_rows(task, tokenizer, table, 24)
    assert found.encoded.cut == 2
    assert [owner for owner in found.owners if owner] == [1, 2], "a question without an answer has one window"
    targets = task.encode(found.golds, found.items)["passage"]
    of_first = [target for target, owner in zip(targets.tolist(), found.owners, strict=True) if owner == 0]
    assert len(of_first) == 2 and sorted(target[0] > 0 for target in of_first) == [False, True]
    assert all(len(ids) == len(item.offsets) <= 24 for ids, item in zip(found.encoded.ids, found.items, strict=True))


def test_rows_of_texts_are_their_first_tokens(tiny_base: Path) -> None:
    task = Classify(("a", "b"))
    tokenizer = fit_tokenizer(open_tokenizer(tiny_base), task)
    table = Table([" ".join(["price1"] * 60), "order"], ["a", "b"])
    found = read_rows(task, tokenizer, table, 24)
    assert list(found.owners) == [0, 1] and len(found.encoded.ids[0]) == 24 and found.encoded.cut == 1
    assert list(found.golds) == ["a", "b"]
