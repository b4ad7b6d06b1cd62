"""Tenants of one base: one file, one session, mixed batches, and the bits of a row never depend on the others."""

from __future__ import annotations

import gc
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import BASE_WORDS
from tests.tune.test_full import table

from penjing.compress import tenant
from penjing.core.canon import digest_file
from penjing.core.errors import DamageError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.engines.tenant import ABOUT, BASE, PRODUCTS, SharedBase, TenantEngine, open_shared
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.text.tokens import BUCKETS
from penjing.tune import lora

TENANTS: tuple[dict[str, Any], ...] = ({"rank": 8}, {"rank": 4, "layers": 1}, {"rank": 2, "seed": 5, "kind": "pissa"})


@pytest.fixture(scope="module")
def tenants(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Artifact]:
    """Three models on one base: of other rows, ranks and layers."""
    made = []
    for number, options in enumerate(TENANTS):
        folder = tmp_path_factory.mktemp(f"tenant{number}")
        train, validation = table(90, 2 * number + 1), table(30, 2 * number + 2)
        inputs = Inputs(open_base(str(tiny_base), Path("/")), train, validation, language="en")
        seed = options.get("seed", 0)
        rest = {name: value for name, value in options.items() if name != "seed"}
        chosen = lora.Options(epochs=2, learning_rate=1e-2, max_tokens=64, **rest)
        tuned = lora.apply(inputs, chosen, Run(folder / "lora", folder / "a", seed=seed, threads=1))
        run = Run(folder / "tenant", folder / "b", threads=1)
        made.append(tenant.apply(replace(inputs, parent=tuned), tenant.Options(), run))
    return made


@pytest.fixture(scope="module")
def engines(tenants: list[Artifact]) -> list[TenantEngine]:
    return [TenantEngine.load(one, 1) for one in tenants]


def test_the_base_is_one_file_and_one_session(tenants: list[Artifact], engines: list[TenantEngine]) -> None:
    assert len({digest_file(one.folder / BASE) for one in tenants}) == 1
    assert len({id(one.base) for one in engines}) == 1
    assert len({digest_file(one.folder / PRODUCTS) for one in tenants}) == 3
    assert len({id(one.tokens) for one in engines}) == 1, "the tokenizer is shared too"
    assert all((one.folder / PRODUCTS).stat().st_size < 20_000 for one in tenants)


def test_each_gives_what_its_merged_model_gives(tenants: list[Artifact]) -> None:
    for one in tenants:
        merged = open_session(Artifact(one.folder.parent / "lora", "", replace_form(one)), threads=1)
        texts = table(20, 9).texts
        found, wanted = open_session(one, threads=1).logits(texts), merged.logits(texts)
        # Weights are stored in float16.
        assert np.abs(found - wanted).max() < 5e-3 * np.abs(wanted).max()


def replace_form(one: Artifact) -> Any:
    return one.card.model_copy(update={"form": "torch", "precision": ""})


@pytest.mark.parametrize("threads", [1, 2])
def test_a_row_alone_has_the_bits_of_the_row_among_others(tenants: list[Artifact], threads: int) -> None:
    engines = [TenantEngine.load(one, threads) for one in tenants]
    base = engines[0].base
    assert base.together
    random = np.random.default_rng(1)
    for width in [bucket for bucket in BUCKETS if bucket <= 64]:
        rows = [random.integers(4, 4 + len(BASE_WORDS), random.integers(width // 2, width + 1)) for _ in range(16)]
        slots = [int(each) for each in random.integers(0, 3, 16)]
        for count in (2, 3, 7, 16):
            mixed = base._infer(rows[:count], width, [engines[slot]._slot for slot in slots[:count]], base._stacks)
            for row, slot, states in zip(rows, slots, mixed, strict=False):
                alone = base._infer([row], width, [engines[slot]._slot], base._stacks)[0]
                assert np.array_equal(alone, states), (width, count)


def test_calls_at_the_same_time_share_passes_and_keep_their_bits(engines: list[TenantEngine]) -> None:
    random = np.random.default_rng(2)
    rows = [random.integers(4, 4 + len(BASE_WORDS), random.integers(3, 60)) for _ in range(60)]
    alone = [{name: engine.run([row]) for name, row in enumerate(rows)} for engine in engines]
    base = engines[0].base
    base._most, before = 1, base.mixed
    faults: list[str] = []
    gate = threading.Barrier(6)

    def work(number: int) -> None:
        engine, own = engines[number % 3], list(range(number, 60, 2))
        gate.wait()
        for start in range(0, len(own), 5):
            places = own[start : start + 5]
            (found,) = engine.run([rows[place] for place in places]).values()
            for place, one in zip(places, found, strict=True):
                (wanted,) = alone[number % 3][place].values()
                if not np.array_equal(wanted[0], one):
                    faults.append(f"tenant {number % 3}, row {place}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert base.mixed > before, "rows of different tenants were in one pass"


def test_where_a_batch_changes_bits_each_row_runs_alone(
    tenants: list[Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SharedBase, "_keeps_bits", lambda *_: False)
    other = TenantEngine.load(tenants[0], 3)
    sizes: list[int] = []
    real = SharedBase._infer

    def counted(self: SharedBase, rows: Any, *rest: Any) -> Any:
        sizes.append(len(rows))
        return real(self, rows, *rest)

    monkeypatch.setattr(SharedBase, "_infer", counted)
    rows = other.encode(table(6, 3).texts)
    assert other.run(rows)
    assert sizes == [1] * 6


def test_an_error_in_a_pass_is_given_to_every_caller(engines: list[TenantEngine]) -> None:
    with pytest.raises(Exception, match=r"indices|out of"):
        engines[0].run([np.array([10**6, 5])])
    assert engines[1].run(engines[1].encode(["delivery1"])), "the next pass runs"


def test_a_tenant_that_is_gone_leaves_its_place(tenants: list[Artifact]) -> None:
    first, second = (TenantEngine.load(one, 5) for one in tenants[:2])
    base, slot = first.base, first._slot
    kept = second.run(second.encode(["delivery1 price2"]))
    del first
    gc.collect()
    assert base._tenants[slot] is None
    third = TenantEngine.load(tenants[2], 5)
    assert third._slot == slot
    again = second.run(second.encode(["delivery1 price2"]))
    assert all(np.array_equal(kept[name], again[name]) for name in kept)


@pytest.mark.parametrize("name", [BASE, PRODUCTS, ABOUT])
def test_a_missing_or_changed_file_is_refused(tenants: list[Artifact], tmp_path: Path, name: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(tenants[0].folder, folder)
    (folder / name).write_bytes(b'{"format": 1}')
    with pytest.raises(DamageError, match=name):
        TenantEngine.load(Artifact(folder, "", tenants[0].card), 4)
    (folder / name).unlink()
    with pytest.raises(DamageError, match=name):
        TenantEngine.load(Artifact(folder, "", tenants[0].card), 4)


def test_products_of_another_shape_and_newer_formats_are_refused(tenants: list[Artifact], tmp_path: Path) -> None:
    base = open_shared(tenants[0], 1)
    with pytest.raises(DamageError, match="does not fit"):
        base.add({}, "here")
    folder = tmp_path / "copy"
    shutil.copytree(tenants[0].folder, folder)
    about = (folder / ABOUT).read_text(encoding="utf-8").replace('"format":1', '"format":2')
    (folder / ABOUT).write_text(about, encoding="utf-8")
    with pytest.raises(UsageError, match="newer version"):
        TenantEngine.load(Artifact(folder, "", tenants[0].card), 1)
