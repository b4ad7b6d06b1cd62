"""Layers of peft are put in by name, and the matrices come back unchanged."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from penjing.core.errors import MissingPackageError
from penjing.model.base import open_base
from penjing.model.encoder import load_encoder
from penjing.model.layers import heads_of, layers_of
from penjing.tune.injected import inject, names_of, require_peft, take_out


def test_what_is_put_in_is_taken_out_again(tiny_base: Path) -> None:
    encoder = load_encoder(open_base(str(tiny_base), tiny_base))
    before = {name: one.clone() for name, one in encoder.state_dict().items()}
    names = names_of(encoder, heads_of(layers_of(encoder)[-1])[1])
    last = len(layers_of(encoder)) - 1
    assert names == [f"encoder.layer.{last}.attention.self.{one}" for one in ("query", "key", "value")]
    inject(encoder, require_peft("tune.ia3").IA3Config(target_modules=names, feedforward_modules=[]), "tune.ia3")
    assert any("ia3_l" in name for name in encoder.state_dict())
    assert [name for name, _ in take_out(encoder)] == names
    assert encoder.state_dict().keys() == before.keys()
    assert all(torch.equal(one, before[name]) for name, one in encoder.state_dict().items())
    assert not hasattr(encoder, "peft_config")


def test_without_peft_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingPackageError, match=r"`tune.ia3` needs the package `peft`") as caught:
        require_peft("tune.ia3")
    assert "penjing[train]" in (caught.value.fix or "")
