"""`penjing export adapter`: a small folder out of OUT, of a release or of a model; the rest is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.tune.test_full import table

from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.model.adapters import TENSORS, open_adapter
from penjing.model.base import open_base
from penjing.model.encoder import load_classifier
from penjing.tune import lora


@pytest.fixture(scope="module")
def tuned(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("tuned")
    inputs = Inputs(open_base(str(tiny_base), Path("/")), table(60, 1), table(30, 2), language="en")
    options = lora.Options(epochs=1, learning_rate=1e-2, max_tokens=32)
    return lora.apply(inputs, options, Run(folder / "trainable", folder / "scratch", threads=1))


def test_the_folder_is_small_and_gives_the_model_again(
    penjing: Any, tuned: Artifact, tiny_base: Path, tmp_path: Path
) -> None:
    ran = penjing("export", "adapter", tuned.folder, "--out", "small")
    assert ran.code == 0, ran.err
    (said,) = ran.lines
    assert (said["kind"], said["rank"], said["adapter"]) == ("lora", 8, "small")
    assert {path.name for path in (tmp_path / "small").iterdir()} == {"MANIFEST", "adapter.json", TENSORS}
    assert said["bytes"] < 20_000
    base = open_base(str(tiny_base), Path("/"))
    assert said["base_id"] == base.id
    again, wanted = open_adapter(tmp_path / "small", base).state_dict(), load_classifier(tuned).state_dict()
    assert all((again[name] == wanted[name]).all() for name in wanted)
    content = (tmp_path / "small" / TENSORS).read_bytes()
    (tmp_path / "small" / TENSORS).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DamageError):
        open_adapter(tmp_path / "small", base)


def test_what_has_no_adapter_and_what_is_there_already_are_refused(
    penjing: Any, tuned: Artifact, tiny_base: Path, tmp_path: Path
) -> None:
    ran = penjing("export", "adapter", tiny_base, "--out", "none")
    assert (ran.code, ran.out) == (2, "")
    assert "which keeps no adapter" in ran.err
    (tmp_path / "there").mkdir()
    ran = penjing("export", "adapter", tuned.folder, "--out", "there")
    assert ran.code == 2
    assert "there is something at this path already" in ran.err
    ran = penjing("export", "adapter", "nowhere", "--out", "none")
    assert ran.code == 2
    assert "there is no such folder" in ran.err
    assert not (tmp_path / "none").exists()


def test_out_of_make_is_found_by_its_release(penjing: Any, tuned: Artifact, tiny_release: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(tiny_release.folder, out / "release")
    shutil.copytree(tuned.folder, out / "trainable")
    ran = penjing("export", "adapter", "out", "--out", "small")
    assert ran.code == 2, "this release names no model that can be trained on"
    assert "names no model that can be trained on" in ran.err
