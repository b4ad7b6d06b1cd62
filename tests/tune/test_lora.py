"""Adapters of low rank: they learn, merge exactly, and the small folder and the base give the same model again."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.tune.test_full import base_folder, inputs  # noqa: F401 - fixtures

from penjing.core.errors import DamageError, RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.model.adapters import ABOUT, FOLDER, TENSORS, open_adapter, read_adapter
from penjing.model.base import open_base
from penjing.model.encoder import load_classifier
from penjing.model.matrices import matrices
from penjing.tune import lora
from penjing.tune.job import prepare_job
from penjing.tune.lora import Options, apply

QUICK = {"epochs": 6, "learning_rate": 1e-2, "max_tokens": 16, "targets": "all"}
KINDS = ("lora", "dora", "pissa")


@pytest.fixture
def tune(inputs: Inputs, tmp_path: Path) -> Callable[..., Artifact]:  # noqa: F811
    def go(name: str, *, seed: int = 0, stop: Callable[[], bool] = lambda: False, **changes: Any) -> Artifact:
        run = Run(tmp_path / name, tmp_path / f"{name}.scratch", seed=seed, threads=1, stop=stop)
        return apply(inputs, Options(**QUICK | changes), run)

    return go


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_with_few_parameters(tune: Callable[..., Artifact], kind: str) -> None:
    made = tune("a", kind=kind, layers=1)
    assert made.card.metrics["validation_macro_f1"] > 0.75
    assert made.card.notes["learned_parameters"] < 0.25 * made.card.parameters
    info = read_adapter(made.folder / FOLDER).info
    assert (info.kind, info.labels) == (kind, made.card.labels)
    assert info.targets == tuple(f"{name}.weight" for name in matrices(load_classifier(made).encoder, 1, "all"))


@pytest.mark.parametrize("kind", KINDS)
def test_merged_outputs_are_those_of_the_adapters(
    inputs: Inputs,  # noqa: F811
    tmp_path: Path,
    kind: str,
) -> None:
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    job = prepare_job("tune.lora", inputs, Options(**QUICK | {"kind": kind, "rslora": True}), run)
    classifier = load_with_random_adapters(job)
    ids = torch.randint(5, 40, (6, 12), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    with torch.no_grad():
        before = classifier(ids, mask)
        lora.merge_in(classifier, job)
        after = classifier(ids, mask)
    assert not any("lora" in name for name, _ in classifier.named_modules())
    assert float((before - after).abs().max()) < 1e-5
    assert float(before.abs().max()) > 0.05


def load_with_random_adapters(job: Any) -> Any:
    from penjing.tune.job import whole_model

    classifier, _ = whole_model(job)
    lora.put_in(classifier, job)  # type: ignore[arg-type]
    draw = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in classifier.named_parameters():
            if "lora_B" in name:
                parameter.add_(torch.randn(parameter.shape, generator=draw) * 0.05)
            if "magnitude" in name:
                parameter.mul_(1 + torch.randn(parameter.shape, generator=draw) * 0.1)
    return classifier.eval()


@pytest.mark.parametrize("kind", KINDS)
def test_the_small_folder_and_the_base_give_the_same_bits(
    tune: Callable[..., Artifact],
    inputs: Inputs,  # noqa: F811
    kind: str,
) -> None:
    made = tune("a", kind=kind)
    assert inputs.parent is not None
    again, wanted = open_adapter(made.folder / FOLDER, inputs.parent), load_classifier(made)
    assert again.state_dict().keys() == wanted.state_dict().keys()
    for name, tensor in wanted.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_the_base_itself_stays_as_it_is(tune: Callable[..., Artifact], inputs: Inputs) -> None:  # noqa: F811
    made = tune("a", targets="query_value", layers=1)
    assert inputs.parent is not None
    from penjing.model.encoder import load_encoder

    base, merged = load_encoder(inputs.parent).state_dict(), load_classifier(made).encoder.state_dict()
    changed = [name for name in base if not torch.equal(base[name], merged[name][: len(base[name])])]
    assert changed == [f"encoder.layer.1.attention.self.{name}.weight" for name in ("query", "value")]


def test_another_base_and_a_changed_file_are_refused(
    tune: Callable[..., Artifact],
    inputs: Inputs,  # noqa: F811
    base_folder: Path,  # noqa: F811
) -> None:
    made = tune("a")
    assert inputs.parent is not None
    with pytest.raises(UsageError, match="belongs to the base"):
        open_adapter(made.folder / FOLDER, made)
    with pytest.raises(UsageError, match="not an adapter"):
        read_adapter(made.folder)
    about = made.folder / FOLDER / ABOUT
    info = json.loads(about.read_text(encoding="utf-8"))
    about.write_text(json.dumps(info | {"weights": "0" * 64}), encoding="utf-8")
    with pytest.raises(DamageError, match="its hash is another one"):
        open_adapter(made.folder / FOLDER, inputs.parent)
    about.write_text(json.dumps(info | {"format": 2}), encoding="utf-8")
    with pytest.raises(UsageError, match="newer version"):
        open_adapter(made.folder / FOLDER, inputs.parent)
    (made.folder / FOLDER / TENSORS).write_bytes(b"nothing")
    about.write_text(json.dumps(info), encoding="utf-8")
    with pytest.raises(DamageError, match="cannot be read"):
        open_adapter(made.folder / FOLDER, open_base(str(base_folder), Path("/")))


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_run_goes_on_to_the_same_bits(tune: Callable[..., Artifact], kind: str) -> None:
    whole = tune("a", kind=kind, adapter_dropout=0.2)
    asked = itertools.count()
    with pytest.raises(RunInterruptedError):
        tune("b", kind=kind, adapter_dropout=0.2, stop=lambda: next(asked) >= 20)
    assert tune("b", kind=kind, adapter_dropout=0.2).id == whole.id


def test_a_base_that_was_changed_before_is_refused(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    from penjing.tune.job import whole_model

    job = prepare_job("tune.lora", inputs, Options(**QUICK), Run(tmp_path / "out", tmp_path / "scratch", threads=1))
    classifier, _ = whole_model(job)
    with torch.no_grad():
        classifier.encoder.encoder.layer[1].output.dense.bias.add_(1.0)  # type: ignore[union-attr, index, operator]
    with pytest.raises(UsageError, match=r"first: encoder\.layer\.1\.output\.dense\.bias"):
        lora.put_in(classifier, job)  # type: ignore[arg-type]


def test_no_matrix_to_adapt_is_an_error(tune: Callable[..., Artifact]) -> None:
    with pytest.raises(UsageError, match="no matrix to adapt") as caught:
        tune("a", layers=0)
    assert caught.value.fix
