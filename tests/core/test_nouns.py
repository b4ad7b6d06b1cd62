"""Tables keep their columns together; predictions rank stably."""

from __future__ import annotations

from penjing.core.answers import Choice
from penjing.core.nouns import Card, Prediction, Table


def test_take_keeps_columns_together() -> None:
    table = Table(texts=["a", "b", "c"], labels=["x", "y", "z"], rows=[1, 2, 3], fields={"n": [10, 20, 30]})
    part = table.take([2, 0])
    assert (part.texts, part.labels, part.rows) == (["c", "a"], ["z", "x"], [3, 1])
    assert part.fields == {"n": [30, 10]}
    assert part.groups is None


def test_a_row_without_a_group_stands_for_itself() -> None:
    assert Table(["a", "b", "c"], groups=["g", "", "g"]).units == ["g", "b", "g"]
    assert Table(["a", "b"]).units == ["a", "b"]


def test_ranked_is_stable() -> None:
    prediction = Prediction("a", Choice(("a", "b", "c"), (0.3, 0.4, 0.3)))
    assert prediction.answer.ranked() == [("b", 0.4), ("a", 0.3), ("c", 0.3)]
    assert prediction.answer.top() == ("b", 0.4)


def test_of_two_equals_the_first_is_on_top() -> None:
    prediction = Prediction("id", Choice(("a", "b", "c"), (0.2, 0.4, 0.4)))
    assert prediction.answer.top() == prediction.answer.ranked()[0] == ("b", 0.4)


def test_fields_that_were_notes_are_read_as_fields() -> None:
    notes = {
        "base": "penjing/mini",
        "precision": "int8",
        "padding_id": 1,
        "layers": [2],
        "curves": {"loss": [[1, 0.5]]},
    }
    card = Card.model_validate({"form": "onnx", "method": "compress.int8", "notes": notes})
    assert (card.base, card.precision, card.padding_id, card.curves.loss) == ("penjing/mini", "int8", 1, ((1, 0.5),))
    assert card.notes == {"layers": [2]}
    assert Card.model_validate(card.model_dump()) == card
    assert notes["precision"] == "int8", "what was given is left as it is"


def test_a_card_without_features_keeps_its_bytes() -> None:
    card = Card(form="linear", method="tune.linear")
    assert "features" not in card.model_dump(mode="json")
    read = card.model_copy(update={"features": {"amount": {"mean": 1.0, "scale": 2.0}}})
    assert Card.model_validate_json(read.model_dump_json()) == read


def test_tables_join_with_their_groups_and_fields() -> None:
    one = Table(["a"], ["x"], [1], ["g"], {"n": [1]})
    both = one.joined(Table(["b", "c"], ["y", "y"], [2, 3]))
    assert (list(both.texts), list(both.rows), both.groups) == (["a", "b", "c"], [1, 2, 3], ["g", "", ""])
    assert both.fields == {"n": [1, None, None]}
