"""What the base cannot do that the steps ask of it is found before anything is trained, in the words of the step."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from penjing.core.errors import PenjingError
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.make import check_base
from penjing.make.check_recipe import Checked, check_recipe
from penjing.make.run import make_release

ROWS = [f"{['delivery', 'price', 'quality', 'common'][i % 4]}{i % 10} nr {i},{'ab'[i % 2]}" for i in range(120)]


def write(folder: Path, base: Path | str, steps: str) -> Path:
    (folder / "a.csv").write_text("\n".join(["text,label", *ROWS]), encoding="utf-8")
    path = folder / "recipe.yaml"
    path.write_text(f"name: t\nbase: {base}\ndata: {{files: a.csv}}\nsteps: [{steps}]\n", encoding="utf-8")
    return path


def check(path: Path) -> Checked:
    return check_recipe(load_recipe(path), Silent())


def refused(path: Path) -> str:
    with pytest.raises(PenjingError) as caught:
        check(path).raise_faults()
    with pytest.raises(PenjingError):
        make_release(path, path.parent / "out")
    assert not (path.parent / "out" / "cache").exists(), "nothing was trained"
    return str(caught.value)


FULL = "{tune.full: {max_tokens: 64}}"


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("{tune.full: {max_tokens: 65}}", ["yaml:4:22: this base takes at most 64 tokens", "set `max_tokens: 64`"]),
        ("{tune.full: {}}", ["this base takes at most 64 tokens"]),
        (
            f"{FULL}, {{compress.vocabulary: {{}}}}, {{compress.distill: {{relations: 1}}}}",
            ["cuts texts into other tokens", "after `compress.distill`"],
        ),
        (
            "{tune.full: {max_tokens: 64, augment: {mlm: 0.1}}}",
            ["yaml:4:38: the base `tiny-base", "has no head that fills hidden words", "grow a base by `pretrain.mlm`"],
        ),
        ("{tune.prompt: {max_tokens: 60, tokens: 8}}", ["this base takes at most 56 tokens", "set `max_tokens: 56`"]),
        (
            "{tune.prompt: {max_tokens: 40, tokens: 8}}, {compress.exit: {}}",
            ["yaml:4:54: the encoder has a soft prompt of 8 tokens, and the stages of `compress.exit`"],
        ),
        (
            "{tune.prompt: {max_tokens: 40, tokens: 8}}, {compress.distill: {hidden: 1}}",
            ["a soft prompt of 8 tokens, and its states are not those", "`pooled` to the weight"],
        ),
    ],
)
def test_what_the_steps_ask_of_the_base(tmp_path: Path, tiny_base: Path, steps: str, words: list[str]) -> None:
    said = refused(write(tmp_path, tiny_base, steps))
    assert all(word in said for word in words), said


def test_weights_that_do_not_fit_their_configuration(tmp_path: Path, tiny_base: Path) -> None:
    base = shutil.copytree(tiny_base, tmp_path / "base")
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    (base / "config.json").write_text(json.dumps(config | {"hidden_size": 48}), encoding="utf-8")
    assert "does not fit config.json" in refused(write(tmp_path, "base", FULL))
    (base / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (base / "model.safetensors").write_bytes(b"no weights at all")
    assert "the weights cannot be read" in refused(write(tmp_path, "base", FULL))


def test_a_tokenizer_of_another_model_is_found(tmp_path: Path, tiny_base: Path) -> None:
    base = shutil.copytree(tiny_base, tmp_path / "base")
    tree = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))
    tree["model"]["vocab"] |= {f"more{number}": len(tree["model"]["vocab"]) + number for number in range(9)}
    (base / "tokenizer.json").write_text(json.dumps(tree), encoding="utf-8")
    assert "the tokenizer has 53 tokens and the encoder embeds 44" in refused(write(tmp_path, "base", FULL))


def test_a_package_that_a_step_needs(tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = check_base.importlib.util.find_spec
    monkeypatch.setattr(check_base.importlib.util, "find_spec", lambda name: (name != "nncf" and whole(name)) or None)
    said = refused(write(tmp_path, tiny_base, f"{FULL}, {{compress.int8: {{}}}}"))
    assert "the step `compress.int8` needs the package `nncf`" in said and "pip install" in said


def test_a_package_that_a_kind_of_noise_needs(tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, tiny_base, FULL)
    path.write_text(path.read_text(encoding="utf-8") + "robustness: [homophones, typos]\n", encoding="utf-8")
    assert not check(path).faults
    whole = check_base.importlib.util.find_spec
    monkeypatch.setattr(
        check_base.importlib.util, "find_spec", lambda name: (name != "pypinyin" and whole(name)) or None
    )
    said = refused(path)
    assert "the noise `homophones` needs the package `pypinyin`" in said and "pip install" in said


def test_a_disk_that_is_clearly_too_small_is_told(
    tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, tiny_base, FULL)
    assert not [each for each in check(path).audit.problems if each.code == "room"]
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(check_base.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 100_000))
    told = [each for each in check(path).audit.problems if each.code == "room"]
    assert len(told) == 1 and told[0].severity == "warning" and "beside the recipe" in told[0].message


def test_a_sound_recipe_passes(tmp_path: Path, tiny_base: Path) -> None:
    check(write(tmp_path, tiny_base, f"{FULL}, {{compress.int8: {{}}}}")).raise_faults()


def test_a_gap_needs_the_head_of_hidden_tokens(tmp_path: Path, tiny_base: Path) -> None:
    said = refused(write(tmp_path, tiny_base, "{tune.cloze: {max_tokens: 64}}"))
    assert "yaml:4:10: this base has no head that predicts hidden tokens" in said and "`tune.prototype`" in said
