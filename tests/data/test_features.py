"""Declared fields as numbers: standardised by the train rows, one column a value, and missing ones marked."""

from __future__ import annotations

import json

import numpy as np

from penjing.core.nouns import Inputs, Table
from penjing.data.features import FieldFeatures, beside_text, features_for, fields_fingerprint, learn_features, rows_of

KINDS = {"amount": "float", "urgent": "bool", "channel": ("app", "web")}
TRAIN = Table(
    ["a", "b", "c"], fields={"amount": [1.0, 3.0, None], "urgent": [True, None, False], "channel": ["app", "web", None]}
)


def test_numbers_are_standardised_and_values_have_a_column_each() -> None:
    found = learn_features(KINDS, TRAIN)
    assert found.size == 2 + 3 + 3
    assert found.of_table(TRAIN).tolist() == [
        [-1, 0, 1, 0, 0, 0, 1, 0],
        [1, 0, 0, 1, 0, 0, 0, 1],
        [0, 1, 0, 0, 1, 1, 0, 0],
    ]
    assert found.of_table(TRAIN).dtype == np.float32


def test_what_is_not_given_or_not_known_is_missing_and_far_numbers_are_cut() -> None:
    found = learn_features(KINDS, TRAIN)
    assert found.encode([{}]).tolist() == [[0, 1, 0, 0, 1, 0, 0, 1]]
    assert found.encode([{"channel": "fax", "amount": 1e9}])[0].tolist()[:2] == [10, 0]
    assert found.encode([{"channel": "fax"}])[0].tolist()[2:5] == [0, 0, 1]
    assert found.encode([]).shape == (0, 8)


def test_equal_numbers_divide_by_nothing() -> None:
    same = Table(["a", "b"], fields={"amount": [2.0, 2.0]})
    assert learn_features({"amount": "int"}, same).of_table(same).tolist() == [[0, 0], [0, 0]]
    none = Table(["a"], fields={"amount": [None]})
    assert learn_features({"amount": "int"}, none).of_table(none).tolist() == [[0, 1]]


def test_features_survive_json() -> None:
    found = learn_features(KINDS, TRAIN)
    again = FieldFeatures.from_json(json.loads(json.dumps(found.to_json())))
    assert again == found
    assert again.of_table(TRAIN).tolist() == found.of_table(TRAIN).tolist()


def test_a_table_without_fields_has_empty_rows() -> None:
    assert rows_of(Table(["a", "b"])) == [{}, {}]
    assert rows_of(TRAIN)[1] == {"amount": 3.0, "urgent": None, "channel": "web"}


def test_the_order_of_the_recipe_changes_nothing() -> None:
    assert learn_features(dict(reversed(KINDS.items())), TRAIN) == learn_features(KINDS, TRAIN)


def test_fields_have_a_fingerprint_of_their_own() -> None:
    assert fields_fingerprint([], [TRAIN]) == ""
    found = fields_fingerprint(["amount", "urgent"], [TRAIN])
    assert found == fields_fingerprint(["urgent", "amount"], [TRAIN]) != fields_fingerprint(["amount"], [TRAIN])
    assert fields_fingerprint(["amount"], [TRAIN.take([1, 0, 2])]) != fields_fingerprint(["amount"], [TRAIN])


def test_a_method_gets_them_where_the_recipe_names_any() -> None:
    assert features_for(Inputs(None, TRAIN, TRAIN)) is None
    assert features_for(Inputs(None, TRAIN, TRAIN, features=KINDS)) == learn_features(KINDS, TRAIN)


def test_a_date_is_its_day_its_month_its_weekday_and_its_hour() -> None:
    train = Table(["a", "b", "c"], fields={"at": ["2026-01-05", "2026-01-07", None]})
    (found,) = learn_features({"at": "date"}, train).features
    assert (found.size, found.days, found.mean, found.scale) == (21, (20_458, 20_460), 20_459, 1)
    monday = found.encode("2026-01-05")
    assert monday[0] == -1 and [place for place, number in enumerate(monday) if number == 1] == [1, 13]
    later = found.encode("2027-12-31")  # the day is held at the last one of the train rows, the rest is as it is
    assert later[0] == 1 and [place for place, number in enumerate(later[1:], 1) if number == 1] == [12, 17]
    assert found.encode(None) == [0.0] * 20 + [1.0]
    clock = Table(["a", "b"], fields={"at": ["2026-01-05T00:10:00", "2026-01-05T23:00:00"]})
    (timed,) = learn_features({"at": "date"}, clock).features
    assert timed.size == 45
    assert [place for place, number in enumerate(timed.encode("2026-01-05T23:59:59")) if number] == [1, 13, 43]
    assert [place for place, number in enumerate(timed.encode("2026-01-05")) if number] == [1, 13]
    for features in (learn_features({"at": "date"}, train), learn_features({"at": "date"}, clock)):
        assert FieldFeatures.from_json(json.loads(json.dumps(features.to_json()))) == features
    assert learn_features({"at": "date"}, Table(["a"], fields={"at": [None]})).encode([{}]).tolist() == [[0] * 20 + [1]]


def test_what_the_train_rows_had_is_kept_with_the_model() -> None:
    seen = learn_features(KINDS, TRAIN).seen
    assert {name: each.empty for name, each in seen.items()} == {"amount": True, "channel": True, "urgent": True}
    assert (seen["amount"].low, seen["amount"].high, seen["channel"].values) == (1, 3, ("app", "web"))
    earlier = {"amount": {"mean": 2.0, "scale": 1.0}, "channel": {"values": ["app", "web"]}}
    assert FieldFeatures.from_json(earlier).to_json() == earlier and FieldFeatures.from_json(earlier).seen == {}


def test_rows_are_told_apart_by_what_the_model_reads() -> None:
    assert beside_text([], {"amount": 1.0}) == ""
    one = beside_text(["channel", "amount"], {"amount": 1.0, "channel": "app", "note": "x"})
    assert one == beside_text(["amount", "channel"], {"channel": "app", "amount": 1.0})
    assert one != beside_text(["amount", "channel"], {"channel": "app", "amount": 2.0})
