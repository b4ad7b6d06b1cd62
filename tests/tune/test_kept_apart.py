"""The small folder says of which base and task it is, and what is put into the base."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.tune.test_full import base_folder, inputs  # noqa: F401 - fixtures

from penjing.core.errors import DamageError
from penjing.core.nouns import Inputs, Run
from penjing.model.adapters import ABOUT, FOLDER, open_adapter, read_adapter
from penjing.model.base import open_base
from penjing.model.encoder import load_encoder
from penjing.tune.kept_apart import values_of
from penjing.tune.prefix import Options, apply


def test_values_are_copies_of_the_named_parameters(tiny_base: Path) -> None:
    encoder = load_encoder(open_base(str(tiny_base), tiny_base))
    name = "embeddings.LayerNorm.bias"
    found = values_of(encoder, {name})
    assert list(found) == [f"{name}:value"]
    before = found[f"{name}:value"].clone()
    with torch.no_grad():
        encoder.get_parameter(name).add_(1)
    assert torch.equal(found[f"{name}:value"], before)


def test_the_folder_names_base_task_and_what_is_put_in(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    options = Options(epochs=0.2, max_tokens=16, tokens=3, layers=1)
    made = apply(inputs, options, Run(tmp_path / "out", tmp_path / "scratch", threads=1))
    info = read_adapter(made.folder / FOLDER).info
    assert inputs.parent is not None
    assert (info.kind, info.base_id, info.task, info.labels) == (
        "prefix",
        inputs.parent.id,
        "classify",
        made.card.labels,
    )
    assert info.inserted == {"penjing_prefix": {"layers": "encoder.layer", "counts": [0, 3]}}
    assert info.targets == tuple(f"encoder.layer.1.attention.self.prefix_{one}" for one in ("keys", "values"))
    path = made.folder / FOLDER / ABOUT
    path.write_bytes(path.read_bytes().replace(b'"counts":[0,3]', b'"counts":[0,3,3]'))
    with pytest.raises(DamageError, match="the adapter does not fit the base: penjing_prefix") as caught:
        open_adapter(made.folder / FOLDER, inputs.parent)
    assert caught.value.fix and caught.value.where == str(made.folder / FOLDER)
