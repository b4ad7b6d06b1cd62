"""Settings from a YAML file: places of faults, words that look like numbers, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from penjing.core.errors import RecipeError, UsageError
from penjing.core.yaml_file import as_text, place_of, read_yaml


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    sizes: dict[str, int] = {}


def file(folder: Path, text: str) -> Path:
    path = folder / "a.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_settings_come_with_the_tree_that_knows_their_places(tmp_path: Path) -> None:
    path = file(tmp_path, "name: a\nsizes:\n  2.0: 3\n  true: 4\n")
    tree, settings = read_yaml(path, Settings)
    assert settings.sizes == {"2.0": 3, "true": 4}
    assert place_of(path, tree, ("sizes",)) == f"{path}:2:1"
    assert place_of(path, tree, ("sizes", "absent")) == f"{path}:2:1"


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    path = file(tmp_path, "name: a\nsizes: {b: no number}\nother: 1\n")
    with pytest.raises(RecipeError) as raised:
        read_yaml(path, Settings)
    assert f"{path}:2" in str(raised.value)
    assert f"{path}:3" in str(raised.value)


@pytest.mark.parametrize("text", ["name: [\n", "- a\n", "name: a\nname: b\n"])
def test_what_is_no_mapping_is_refused_with_its_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(RecipeError, match=r"a\.yaml"):
        read_yaml(file(tmp_path, text), Settings)


def test_no_file_and_no_utf_8_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="make one"):
        read_yaml(tmp_path / "none.yaml", Settings, absent="make one")
    (tmp_path / "b.yaml").write_bytes("name: 名".encode("gb18030"))
    with pytest.raises(RecipeError, match="UTF-8"):
        read_yaml(tmp_path / "b.yaml", Settings)


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (1.5, "1.5"), (7, "7"), ("a", "a"), (None, None)])
def test_a_word_that_was_read_as_another_kind_is_text_again(value: object, text: object) -> None:
    assert as_text(value) == text
