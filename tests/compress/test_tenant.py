"""A tenant of its base: the same file for all, refused where the form does not fit, with every kind of head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tune.test_full import fields_table, table

from penjing.compress import tenant
from penjing.compress.tenant import check_adapter, shared_rank
from penjing.core.canon import digest_file
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Card, Inputs, Run
from penjing.data.features import rows_of
from penjing.engines.tenant import BASE, read_info
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.runtime.selfcheck import make_selfcheck, run_selfcheck
from penjing.tune import full, lora

TUNED = {"epochs": 2, "learning_rate": 1e-2, "max_tokens": 32}


@pytest.fixture
def inputs(tiny_base: Path) -> Inputs:
    return Inputs(open_base(str(tiny_base), Path("/")), table(90, 1), table(30, 2), language="en")


def tuned(inputs: Inputs, folder: Path, **options: Any) -> Artifact:
    run = Run(folder / "lora", folder / "lora.scratch", threads=1)
    return lora.apply(inputs, lora.Options(**TUNED | options), run)


def made(inputs: Inputs, parent: Artifact, folder: Path, **options: Any) -> Artifact:
    run = Run(folder / "tenant", folder / "tenant.scratch", threads=1)
    return tenant.apply(replace(inputs, parent=parent), tenant.Options(**options), run)


def test_it_is_certified_in_the_form_that_serves(inputs: Inputs, tmp_path: Path) -> None:
    one = made(inputs, tuned(inputs, tmp_path), tmp_path, storage="float32")
    assert (one.card.form, one.card.precision, one.card.method) == ("tenant", "float32", "compress.tenant")
    assert [step["method"] for step in one.card.lineage] == ["tune.lora", "compress.tenant"]
    session = open_session(one, threads=1)
    check = make_selfcheck(session)
    assert run_selfcheck(session, check) == pytest.approx(0, abs=1e-6)
    merged = open_session(Artifact(tmp_path / "lora", "", replace_form(one.card)), threads=1)
    texts = table(20, 5).texts
    assert np.abs(session.logits(texts) - merged.logits(texts)).max() < 1e-5


def replace_form(card: Card) -> Card:
    return card.model_copy(update={"form": "torch", "precision": ""})


def test_the_file_depends_on_base_matrices_and_rank_alone(inputs: Inputs, tmp_path: Path) -> None:
    few = tuned(inputs, tmp_path / "a", rank=4)
    other = tuned(replace(inputs, train=table(60, 7)), tmp_path / "b", rank=6, layers=1)
    hashes = [digest_file(made(inputs, one, one.folder.parent).folder / BASE) for one in (few, other)]
    assert hashes[0] == hashes[1]
    large = made(inputs, few, tmp_path / "c", rank=16)
    every = made(inputs, few, tmp_path / "d", targets="all")
    infos = [read_info(one.folder) for one in (large, every)]
    assert [info.rank for info in infos] == [16, 8]
    assert len(infos[1].matrices) == 12 > len(infos[0].matrices) == 4
    assert len({hashes[0], *(info.base for info in infos)}) == 3


def test_a_kind_that_is_more_than_products_and_other_parents_are_refused(inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="kind `dora` is more than that"):
        made(inputs, tuned(inputs, tmp_path / "a", kind="dora"), tmp_path / "a")
    whole = full.apply(inputs, full.Options(**TUNED), Run(tmp_path / "full", tmp_path / "f", threads=1))
    with pytest.raises(UsageError, match=r"adapters of `tune\.lora`"):
        made(inputs, whole, tmp_path / "b")
    with pytest.raises(UsageError, match=r"adapters of `tune\.lora`"):
        check_adapter(Card(form="torch", method="compress.layers"), "lora")


def test_a_small_rank_and_few_targets_are_refused(inputs: Inputs, tmp_path: Path) -> None:
    assert [shared_rank(0, rank) for rank in (1, 8, 9, 40)] == [8, 8, 16, 64]
    parent = tuned(inputs, tmp_path, targets="all")
    with pytest.raises(UsageError, match="the adapter has rank 8, and the shared file 4"):
        made(inputs, parent, tmp_path, rank=4)
    with pytest.raises(UsageError, match="no products in the shared file"):
        made(inputs, parent, tmp_path, targets="query_value")


def test_matrices_that_the_adapter_leaves_alone_compute_what_the_base_does(inputs: Inputs, tmp_path: Path) -> None:
    parent = tuned(inputs, tmp_path, layers=1)
    (out,) = (
        open_session(made(inputs, parent, tmp_path, targets="all", storage="float32"), threads=1)
        .outputs(table(8, 3).texts)
        .values()
    )
    merged = open_session(parent, threads=1).logits(table(8, 3).texts)
    assert np.abs(out - merged).max() < 1e-5


def test_declared_fields_are_read_beside_the_text(tiny_base: Path, tmp_path: Path) -> None:
    kinds = {"heat": "float", "site": ("north", "south")}
    base = open_base(str(tiny_base), Path("/"))
    given = Inputs(base, fields_table(240, 1), fields_table(90, 2), language="en", features=kinds)
    parent = tuned(given, tmp_path, epochs=8, head_factor=5)
    one, rows = made(given, parent, tmp_path), fields_table(60, 3)
    assert one.card.metrics["validation_accuracy"] > 0.9
    session, merged = open_session(one, threads=1), open_session(parent, threads=1)
    found, wanted = session.logits(rows.texts, rows_of(rows)), merged.logits(rows.texts, rows_of(rows))
    assert np.abs(found - wanted).max() < 0.02 * max(1.0, np.abs(wanted).max())
    check = make_selfcheck(session)
    assert check["features"] and run_selfcheck(session, check) == pytest.approx(0, abs=1e-6)
    alone = session.logits(rows.texts[:1], rows_of(rows)[:1])
    assert np.array_equal(alone[0], found[0])
