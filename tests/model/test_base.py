"""Bases by name: what is opened, and what is refused in words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from penjing.core.errors import DamageError, MissingPackageError, UsageError
from penjing.model import base as bases
from penjing.model.base import NEEDED, base_is_installed, depth_of, open_base


@pytest.fixture
def copy(tiny_base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_base, tmp_path / "base"))


def test_a_folder_is_opened_relative_to_the_recipe(copy: Path) -> None:
    base = open_base("base", copy.parent)
    assert base.folder == copy.resolve()
    assert (base.card.form, base.card.method, base.card.base) == ("torch", "base", "base")


def test_the_id_is_that_of_the_files_that_are_read(copy: Path) -> None:
    first = open_base(str(copy), Path("/")).id
    (copy / "README.md").write_text("words about it")
    assert open_base(str(copy), Path("/")).id == first
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"layer_norm_eps": 1e-6}))
    assert open_base(str(copy), Path("/")).id != first


def test_the_shipped_base_is_found() -> None:
    base = open_base("penjing/mini", Path("/nowhere"))
    assert (base.card.base, base.card.notes) == ("penjing/mini", {"model_type": "bert"})


def test_an_optional_package_holds_a_base(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bases.SHIPPED, "penjing/other", "penjing_other")
    assert not base_is_installed("penjing/other")
    with pytest.raises(MissingPackageError, match="there is no package `penjing_other`") as met:
        open_base("penjing/other", tmp_path)
    assert met.value.fix == "in the folder of Penjing's source: pip install ./bases/other"
    shutil.copytree(copy, tmp_path / "site" / "penjing_other")
    (tmp_path / "site" / "penjing_other" / "__init__.py").write_text("raise SystemExit('nothing of it is imported')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    found = open_base("penjing/other", tmp_path / "nowhere")
    assert base_is_installed("penjing/other") and found.id == open_base(str(copy), Path("/")).id
    assert found.card.base == "penjing/other" and found.folder == tmp_path / "site" / "penjing_other"


def test_a_package_without_files_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A folder of that name on the path, such as one that an uninstall left, is a package to Python.
    (tmp_path / "penjing_left").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(bases.SHIPPED, "penjing/left", "penjing_left")
    assert not base_is_installed("penjing/left") and not base_is_installed("penjing/nothing")


@pytest.mark.parametrize("needed", NEEDED)
def test_a_missing_file_is_named(copy: Path, needed: str) -> None:
    (copy / needed).unlink()
    with pytest.raises(UsageError, match=f"the base has no {needed}") as caught:
        open_base(str(copy), Path("/"))
    assert "save_pretrained" in str(caught.value.fix)


def test_pickled_and_divided_weights_get_their_own_advice(copy: Path) -> None:
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(UsageError, match="pickled"):
        open_base(str(copy), Path("/"))
    (copy / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(UsageError, match="max_shard_size"):
        open_base(str(copy), Path("/"))


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean `penjing/mini`"):
        open_base("penjing/mimi", tmp_path)
    with pytest.raises(UsageError, match="nothing is downloaded"):
        open_base("bert-base-chinese", tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"}, "`Qwen2ForCausalLM` is not an encoder"),
        ({"is_encoder_decoder": True, "architectures": None, "model_type": "t5"}, "`t5` is not an encoder"),
        ({"model_type": None}, "names no model_type"),
    ],
)
def test_what_is_no_encoder_is_refused(copy: Path, change: dict[str, object], words: str) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(UsageError, match=words):
        open_base(str(copy), Path("/"))


def test_its_depth_is_that_of_its_config(copy: Path) -> None:
    base = open_base(str(copy), Path("/"))
    config = json.loads((copy / "config.json").read_text())
    assert depth_of(base) == config["num_hidden_layers"]
    (copy / "config.json").write_text(json.dumps({"model_type": "distilbert", "n_layers": 3}))
    assert depth_of(base) == 3
    (copy / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(UsageError, match="does not say how many layers"):
        depth_of(base)


@pytest.mark.parametrize("left", [0, 5, 100, -1])
def test_cut_weights_are_found_when_the_base_is_opened(copy: Path, left: int) -> None:
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(DamageError, match="the weights cannot be read") as met:
        open_base(str(copy), Path())
    assert met.value.where == str(path) and met.value.fix == "copy the base again"


def test_a_torn_config_is_refused(copy: Path) -> None:
    (copy / "config.json").write_text('{"model_type": ')
    with pytest.raises(UsageError, match=r"config\.json is not valid"):
        open_base(str(copy), Path("/"))
