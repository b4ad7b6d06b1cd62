"""A step's key changes with everything that its result depends on, and with nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from penjing.core.folder import verify
from penjing.core.nouns import Inputs, Silent, Table
from penjing.core.task import Task
from penjing.make import cache as cache_module
from penjing.make.cache import Cache, library_versions, table_fingerprint
from penjing.make.plan import single_step
from penjing.tasks import TASKS, open_reader, open_task
from penjing.tune import linear
from penjing.tune.augmented import Copies

TRAIN = Table(texts=["a", "b"], labels=["x", "y"])
VALIDATION = Table(texts=["c"], labels=["x"])


def key(inputs: Inputs, seed: int = 0, threads: int = 1) -> str:
    return Cache(Path("unused"), seed, threads, Silent(), lambda: False).key(single_step("tune.linear"), inputs)


def test_the_key_follows_content() -> None:
    base = key(Inputs(None, TRAIN, VALIDATION))
    same = Table(texts=["a", "b"], labels=["x", "y"], rows=[7, 8])
    assert key(Inputs(None, same, VALIDATION)) == base, "row numbers are not content"
    others = [
        key(Inputs(None, TRAIN.take([1, 0]), VALIDATION)),
        key(Inputs(None, TRAIN, TRAIN)),
        key(Inputs(None, TRAIN, VALIDATION, language="zh")),
        key(Inputs(None, TRAIN, VALIDATION), seed=1),
        key(Inputs(None, TRAIN, VALIDATION), threads=2),
    ]
    assert len({base, *others}) == 6


def test_the_key_follows_held_out_texts_where_copies_are_made_of_rows() -> None:
    kept, step = Cache(Path("unused"), 0, 1, Silent(), lambda: False), single_step("tune.linear")
    augmenting = replace(step, options=linear.Options(augment=Copies(swap=0.1)))
    pairs = [
        [kept.key(one, Inputs(None, TRAIN, VALIDATION, held_out=held_out)) for held_out in (frozenset(), {"ab"})]
        for one in (step, augmenting)
    ]
    assert pairs[0][0] == pairs[0][1] and len({pairs[0][0], *pairs[1]}) == 3


def test_the_key_follows_the_task_and_the_source_of_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of tasks is read by name, so that no import of a method leads to a task's file."""

    def of(task: Task) -> str:
        return key(Inputs(None, TRAIN, VALIDATION, task=task))

    labels, near = open_task("classify", {"labels": ["x", "y"]}), open_reader("score", {"within": 1.0})
    exact = open_reader("score", {"within": 0.0})
    keys = [of(labels), *(of(reader.learn(["0", "1", "2"])) for reader in (near, exact))]
    assert len({key(Inputs(None, TRAIN, VALIDATION)), *keys}) == 4
    changed = of(labels)
    hashed = cache_module.source_hash
    monkeypatch.setattr(cache_module, "source_hash", lambda path: "new" if path == TASKS["classify"] else hashed(path))
    assert of(labels) != changed


def test_the_key_follows_the_fields_that_a_model_reads() -> None:
    rows = Table(["a", "b"], labels=["x", "y"], fields={"amount": [1.0, 2.0], "other": [1, 2]})
    more = Table(["a", "b"], labels=["x", "y"], fields={"amount": [1.0, 3.0], "other": [1, 2]})
    others = Table(["a", "b"], labels=["x", "y"], fields={"amount": [1.0, 2.0], "other": [9, 9]})
    kinds = {"amount": "float"}
    plain = key(Inputs(None, rows, rows))
    assert plain == key(Inputs(None, more, more))
    read = key(Inputs(None, rows, rows, features=kinds))
    assert len({plain, read, key(Inputs(None, more, rows, features=kinds))}) == 3
    assert read == key(Inputs(None, others, others, features=kinds))


def test_every_module_whose_source_is_hashed_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(cache_module, "source_hash", lambda path: hashed.append(path) or "")
    Cache(tmp_path, 0, 1, Silent(), lambda: False)._shared()
    assert hashed and all(find_spec(path) for path in hashed)


def test_fingerprint_tells_texts_from_labels() -> None:
    assert table_fingerprint(Table(texts=["a"], labels=["b"])) != table_fingerprint(Table(texts=["b"], labels=["a"]))
    grouped = [table_fingerprint(Table(["a", "b"], ["x", "y"], groups=groups)) for groups in (None, "gg", "gh")]
    assert len(set(grouped)) == 3
    assert "torch" in library_versions()


def test_what_a_finished_run_did_not_use_is_removed(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 0, 1, Silent(), lambda: False)
    inputs = Inputs(None, Table([f"good {i}" for i in range(60)] + [f"bad {i}" for i in range(60)], ["x", "y"] * 60),
                    VALIDATION)  # fmt: skip
    made = cache.run(single_step("tune.linear", {"c": [1.0], "folds": 2}), inputs)
    for name in ("tune-full-old", "shared", "tune-full-new.scratch", "machine"):
        (tmp_path / "cache" / name).mkdir()
        (tmp_path / "cache" / name / "weights").write_bytes(b"1")
    (tmp_path / "cache" / "tune-full-old.observations.json").write_bytes(b"{}")
    cache.shrink(tmp_path / "cache" / "machine")
    left = {path.name for path in (tmp_path / "cache").iterdir()}
    name = made.artifact.folder.name
    assert left == {name, f"{name}.observations.json", "machine"}
    assert cache.run(single_step("tune.linear", {"c": [1.0], "folds": 2}), inputs).cached


def test_figures_that_took_long_outlive_a_run_that_did_not_ask_for_them(tmp_path: Path) -> None:
    """`choose: folds`, then `choose: validation`, then `choose: folds` again: the folds are answered once."""
    cache = Cache(tmp_path, 0, 1, Silent(), lambda: False)
    for number in range(6):
        for kind in ("folds", "labels", "tune-full"):
            (tmp_path / f"{kind}-{number}").mkdir()
            os.utime(tmp_path / f"{kind}-{number}", (number, number))
    cache.used.add("folds-0")
    cache.shrink()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"folds-0", *(f"{kind}-{number}" for kind in ("folds", "labels") for number in (2, 3, 4, 5))}


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _into_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_bytes(b"x")


def _into_a_loose_link(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder.with_name("nowhere"))


def _cut(folder: Path) -> None:
    (path,) = folder.glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-1])


def _times(raw: bytes) -> Callable[[Path], None]:
    return lambda folder: void(folder.with_name(f"{folder.name}.observations.json").write_bytes(raw))


def void(_: object) -> None:
    return None


DAMAGES = {
    "MANIFEST": _without("MANIFEST"),
    "card": _without("card.json"),
    "file": _into_a_file,
    "link": _into_a_loose_link,
    "cut": _cut,
    "empty": lambda folder: [void(shutil.rmtree(folder)), folder.mkdir()][1],
    "times cut": _times(b'{"sec'),
    "times of another kind": _times(b"[1]"),
    "times without a number": _times(b'{"seconds": null}'),
    "scratch is a file": lambda folder: [
        void(folder.with_name(f"{folder.name}.scratch").write_bytes(b"x")), _into_a_file(folder)
    ][1],
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_whatever_is_damaged_in_the_cache_is_made_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    cache = Cache(tmp_path / "cache", 0, 1, Silent(), lambda: False)
    step, train = single_step("tune.linear", {"c": [1.0], "folds": 2}), [f"good {i}" for i in range(60)]
    inputs = Inputs(None, Table([*train, *(f"bad {i}" for i in range(60))], ["x", "y"] * 60), VALIDATION)
    made = cache.run(step, inputs).artifact
    damage(made.folder)
    again = cache.run(step, inputs).artifact
    assert again.id == made.id == verify(again.folder)


def test_a_result_that_is_dropped_is_made_again(tmp_path: Path) -> None:
    texts = [f"{word} {number}" for number in range(8) for word in ("good", "bad")]
    inputs = Inputs(None, Table(texts, labels=["x", "y"] * 8), Table(texts, labels=["x", "y"] * 8))
    cache, step = Cache(tmp_path, 0, 1, Silent(), lambda: False), single_step("tune.linear", {"c": [1], "min_df": 1})
    made = cache.run(step, inputs)
    scratch = made.artifact.folder.with_name(made.artifact.folder.name + ".scratch")
    scratch.mkdir()
    cache.drop(step, inputs)
    assert not list(tmp_path.iterdir()) and not cache.used
    again = cache.run(step, inputs)
    assert not again.cached and again.artifact.id == made.artifact.id
