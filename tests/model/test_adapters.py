"""What a small folder changes: every part by its formula, in a fixed order, and refused where it does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from penjing.core.errors import DamageError, UsageError
from penjing.core.nouns import Artifact, Card
from penjing.model.adapters import COLUMNS, MAGNITUDE, ROWS, VALUE, A, B, apply_changes, export_adapter, read_adapter


def matrix() -> nn.Linear:
    made = nn.Linear(7, 5)
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        made.weight.copy_(torch.randn(5, 7, generator=draw))
        made.bias.copy_(torch.randn(5, generator=draw))
    return made


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_every_part_is_its_formula_and_the_old_values_come_back() -> None:
    down, up, magnitude, rows, columns = drawn(3, 7), drawn(5, 3), drawn(5).abs(), drawn(5), drawn(7)
    plain = matrix().weight.detach().double().numpy()
    low = plain + up.double().numpy() @ down.double().numpy()
    unit = low / np.linalg.norm(low, axis=1, keepdims=True)
    cases = {
        (A, B): low,
        (A, B, MAGNITUDE): magnitude.double().numpy()[:, None] * unit,
        (ROWS,): rows.double().numpy()[:, None] * plain,
        (COLUMNS,): plain * columns.double().numpy()[None, :],
    }
    tensors = {A: down, B: up, MAGNITUDE: magnitude, ROWS: rows, COLUMNS: columns}
    for parts, wanted in cases.items():
        one = matrix()
        before = apply_changes(one, {f"weight:{part}": tensors[part] for part in parts})
        assert np.abs(one.weight.detach().numpy() - wanted).max() < 1e-6, parts
        assert torch.equal(before["weight"], matrix().weight) and torch.equal(one.bias, matrix().bias)
    one = matrix()
    apply_changes(one, {f"bias:{VALUE}": rows})
    assert torch.equal(one.bias, rows) and torch.equal(one.weight, matrix().weight)


def test_threads_change_no_bit() -> None:
    found = []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        one = nn.Linear(300, 200)
        with torch.no_grad():
            one.weight.copy_(drawn(200, 300))
        apply_changes(one, {f"weight:{A}": drawn(16, 300), f"weight:{B}": drawn(200, 16)})
        found.append(one.weight.detach().clone())
    torch.set_num_threads(before)
    assert torch.equal(*found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({f"weight:{A}": (3, 7), f"weight:{B}": (4, 3)}, "times"),
        ({f"weight:{A}": (3, 7)}, "B"),
        ({f"weight:{VALUE}": (7, 5)}, "instead of"),
        ({f"other:{VALUE}": (5,)}, "other"),
    ],
)
def test_changes_of_another_shape_are_refused(changes: dict[str, tuple[int, ...]], words: str) -> None:
    with pytest.raises(DamageError, match=words) as caught:
        apply_changes(matrix(), {name: drawn(*shape) for name, shape in changes.items()})
    assert "does not fit the base" in caught.value.what and caught.value.fix


def test_a_model_without_an_adapter_and_a_folder_that_is_none_are_refused(tmp_path: Path) -> None:
    artifact = Artifact(tmp_path, "", Card(form="torch", method="tune.full", labels=("a", "b")))
    with pytest.raises(UsageError, match="which keeps no adapter"):
        export_adapter(artifact, tmp_path / "new")
    with pytest.raises(UsageError, match="not an adapter"):
        read_adapter(tmp_path)
