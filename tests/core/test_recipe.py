"""A recipe is refused as a whole, with the line of the fault and what was near."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import PenjingError, RecipeError, UsageError
from penjing.core.recipe import RecipeFile, load_recipe
from penjing.tune.linear import Options

GOOD = """\
name: sms-spam
language: auto
task: {type: classify}
data:
  files: sms.tsv
  text: text
  label: label
base: penjing/mini
steps:
  - tune.full: {epochs: 3}
  - compress.int8: {}
gates: {keep: 0.98, p99_ms: 20, size_mb: 60, unproven: refuse}
decide: {max_error: 0.05, rules: rules.csv, audit: 0.01}
seed: 0
"""


def load(tmp_path: Path, text: str, name: str = "recipe.yaml"):  # type: ignore[no-untyped-def]
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_recipe(path)


def test_the_sample_is_read(tmp_path: Path) -> None:
    file = load(tmp_path, GOOD)
    assert file.recipe.step_list() == [("tune.full", {"epochs": 3}), ("compress.int8", {})]
    assert file.recipe.gates.keep == 0.98
    assert file.resolve("rules.csv") == (tmp_path / "rules.csv").resolve()
    assert file.where("steps", 1).endswith("recipe.yaml:11:5")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("  label: label", "  lable: label", ":7:3: unknown key `lable`"),
        ("  label: label", "  lable: label", "did you mean `label`?"),
        ("keep: 0.98", "keep: 1.98", "`keep` is `1.98`; it must be a share between 0 and 1"),
        ("name: sms-spam\n", "", "the key `name` is missing"),
        ("seed: 0", "sede: 0", "did you mean `seed`?"),
        ("- tune.full: {epochs: 3}", "- {tune.full: {}, compress.int8: {}}", "write each step as one"),
        ("files: sms.tsv", "files: {test: a.csv}", "at least `train`"),
        ("max_error: 0.05", "max_error: {}", "at least one label"),
        ("data:\n", "data: [\n", "not valid YAML"),
        ("name: sms-spam\n", "name: a\nname: b\n", "not valid YAML"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(RecipeError) as caught:
        load(tmp_path, GOOD.replace(old, new))
    assert words in str(caught.value)


def test_yaml_1_2_words_stay_words(tmp_path: Path) -> None:
    file = load(tmp_path, GOOD.replace("  label: label", "  label: no"))
    assert file.recipe.data.label == "no"


def test_what_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such recipe"):
        load_recipe(tmp_path / "nothing.yaml")
    (tmp_path / "recipe.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(UsageError, match=r"did you mean `.*/recipe\.yaml`"):
        load_recipe(tmp_path)
    with pytest.raises(RecipeError, match="mapping of keys"):
        load(tmp_path, "- a\n- b\n")
    (tmp_path / "gbk.yaml").write_bytes("name: 盆景".encode("gbk"))
    with pytest.raises(RecipeError, match="not UTF-8"):
        load_recipe(tmp_path / "gbk.yaml")


def test_features_are_declared_fields_that_are_no_free_text(tmp_path: Path) -> None:
    fields = "  fields: {amount: float, channel: [app, web], note: str}\n  features: "
    part = "  label: label\n"
    read = load(tmp_path, GOOD.replace(part, f"{part}{fields}[amount, channel]\n")).recipe.data.feature_types()
    assert read == {"amount": "float", "channel": ["app", "web"]}
    for written, said in (("amounts", "no declared field"), ("note", "is free text")):
        with pytest.raises(RecipeError, match=said):
            load(tmp_path, GOOD.replace(part, f"{part}{fields}[{written}]\n"))


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("label", "the column of the labels or of the texts"),
        ("text", "the column of the labels or of the texts"),
        ("place", "no declared field"),
        ("note", "free text"),
    ],
)
def test_a_feature_is_a_declared_field_that_is_known_when_a_case_is_decided(
    tmp_path: Path, feature: str, words: str
) -> None:
    fields = "  fields: {label: float, text: float, amount: float, note: str}\n"
    with pytest.raises(RecipeError) as caught:
        load(tmp_path, GOOD.replace("  label: label\n", f"  label: label\n{fields}  features: [amount, {feature}]\n"))
    assert words in caught.value.what and str(caught.value.where).endswith("recipe.yaml:9:3")
    good = load(tmp_path, GOOD.replace("  label: label\n", f"  label: label\n{fields}  features: [amount]\n"))
    assert good.recipe.data.features == ["amount"]


@pytest.mark.parametrize("written", ["false", "0", "no", "off", "f", "n", "'False'", "0.0", "true", "1", "yes", "on"])
def test_the_rows_are_told_apart_by_what_the_method_reads(tmp_path: Path, written: str) -> None:
    text = GOOD.replace("tune.full: {epochs: 3}", f"tune.linear: {{text: {written}}}").replace(
        "  - compress.int8: {}\n", ""
    )
    recipe = load(tmp_path, text).recipe
    assert recipe.reads_text == Options(**recipe.step_list()[0][1]).text == (written in ("true", "1", "yes", "on"))


def test_a_value_that_the_method_refuses_leaves_the_text(tmp_path: Path) -> None:
    text = GOOD.replace("{epochs: 3}", "{text: perhaps}").replace("  - compress.int8: {}\n", "")
    assert load(tmp_path, text).recipe.reads_text


def test_faults_of_the_rest_are_told_beside_wrong_keys(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(f"{GOOD}threds: 2\n", encoding="utf-8")
    seen: list[RecipeFile] = []

    def more(file: RecipeFile) -> list[PenjingError]:
        seen.append(file)
        return [RecipeError("a step is wrong", where=file.where("steps", 0), fix="correct it")]

    with pytest.raises(RecipeError) as caught:
        load_recipe(path, more)
    assert "unknown key `threds`" in caught.value.what and "a step is wrong (correct it)" in caught.value.what
    assert seen[0].recipe == load(tmp_path, GOOD).recipe
    assert load_recipe(path, more).recipe == seen[0].recipe and len(seen) == 1


def test_broken_yaml_says_what_to_look_for(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="mapping values are not allowed here") as caught:
        load(tmp_path, "name: a: b\n")
    assert caught.value.fix == "indent with spaces, and put a value with `: ` or ` #` in it in quotes"
