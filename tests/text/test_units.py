"""Units of a text, and the features of what surrounds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import DamageError
from penjing.text.units import TEMPLATES, Surroundings, features_of, fit_surroundings, places_of

TEXT = "浙商银行 paid $1,250 to ⟦mobile⟧"


def test_units_are_characters_words_numbers_signs_and_placeholders() -> None:
    written = [TEXT[start:end] for start, end in places_of(TEXT).tolist()]
    assert written == ["浙", "商", "银", "行", "paid", "$", "1", ",", "250", "to", "⟦mobile⟧"]
    assert places_of(" ").shape == (0, 2)


def test_every_unit_has_as_many_features_as_there_are_templates() -> None:
    found = features_of(TEXT)
    assert [len(features) for features in found] == [TEMPLATES] * 11
    assert "00\x1f银" in found[2] and "-10\x1f商\x1f银" in found[2] and "00\x1fpaid" in features_of("PAID")[0]


def test_features_of_few_texts_are_left_out_and_survive_the_disk(tmp_path: Path) -> None:
    made = fit_surroundings(["好 酒店", "好 饭店", "坏"], 2, 1000, lambda: None)
    assert "00\x1f好" in made.vocabulary and "00\x1f坏" not in made.vocabulary
    made.write(tmp_path)
    again = Surroundings.read(tmp_path)
    assert again.vocabulary == made.vocabulary
    assert again.encode("好店").tolist() == made.encode("好店").tolist()
    assert (again.encode("坏") >= -1).all() and again.encode("").shape == (0, TEMPLATES)
    (tmp_path / "units.txt").unlink()
    with pytest.raises(DamageError, match=r"units\.txt"):
        Surroundings.read(tmp_path)
