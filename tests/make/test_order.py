"""What each step needs before it is the same in `check` and in the step."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

from penjing.compress import METHODS
from penjing.core.errors import UsageError
from penjing.core.methods import check_heads
from penjing.core.recipe import load_recipe
from penjing.core.task import Head
from penjing.make.order import IN_TORCH, head_faults, order_faults, unlabelled_faults
from penjing.make.plan import build_plan
from penjing.model.base import open_base
from penjing.tasks import open_reader


@pytest.mark.parametrize("name", METHODS)
def test_the_table_says_what_the_steps_do(name: str) -> None:
    source = inspect.getsource(importlib.import_module(METHODS[name]))
    assert ("torch_parent(inputs" in source) == (name in IN_TORCH)


def test_a_step_that_cannot_serve_the_task_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(
        "name: a\ndata: {files: a.csv}\nsteps:\n- tune.full: {}\n- compress.int8: {}\n- compress.cascade: {}\n",
        encoding="utf-8",
    )
    file = load_recipe(tmp_path / "recipe.yaml")
    steps = build_plan(file)
    number = open_reader("score", {}).learn(["1.5", "2", "7"])
    (fault,) = head_faults(file, steps, number)
    assert fault.what == "`compress.cascade` does not support the task score: it needs one label a text"
    assert fault.where is not None and fault.where.endswith(":6:3")
    assert head_faults(file, steps, open_reader("classify", {}).learn(["a", "b"])) == []


def test_a_head_by_token_is_refused_by_what_reads_whole_texts() -> None:
    class Tags:
        name, heads = "tag", {"tags": Head("token", 3, "cross_entropy")}

    with pytest.raises(UsageError, match="does not support the task tag: it needs answers about whole texts"):
        check_heads("compress.layers", ("pooled",), (), Tags())  # type: ignore[arg-type]
    check_heads("compress.layers", ("pooled", "token"), (), Tags())  # type: ignore[arg-type]


def test_a_step_that_learns_from_unlabelled_texts_is_refused_without_any(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("name: a\ndata: {files: a.csv}\nsteps:\n- tune.selftrain: {}\n")
    file = load_recipe(tmp_path / "recipe.yaml")
    steps = build_plan(file)
    (fault,) = unlabelled_faults(file, steps, 0)
    assert fault.what == "`tune.selftrain` learns from texts without labels, and there are none"
    assert fault.where is not None and fault.where.endswith(":4:3")
    assert "unlabelled: [texts.csv]" in (fault.fix or "")
    assert unlabelled_faults(file, steps, 1) == []


def test_words_of_a_label_that_no_row_has_are_refused_at_their_line(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(
        "name: a\ndata: {files: a.csv}\nsteps:\n- tune.cloze:\n    words: {aa: [x]}\n", encoding="utf-8"
    )
    file = load_recipe(tmp_path / "recipe.yaml")
    (fault,) = head_faults(file, build_plan(file), open_reader("classify", {}).learn(["a", "b"]))
    assert fault.what == "`words` has the label `aa`, which no row has"
    assert fault.where is not None and ":5:" in fault.where


@pytest.mark.parametrize(
    ("steps", "line", "words"),
    [
        ("- tune.lora: {kind: dora}\n- compress.tenant: {}\n", 5, "an adapter of the kind `dora` is more than that"),
        ("- tune.full: {}\n- compress.tenant: {}\n", 5, "serves adapters of `tune.lora` on their base"),
        ("- tune.lora: {}\n- compress.layers: {keep: 1}\n- compress.tenant: {}\n", 6, "the step before it is another"),
        ("- tune.lora: {}\n- compress.tenant: {}\n- compress.int8: {}\n", 6, "put `compress.tenant` last"),
    ],
)
def test_a_tenant_follows_products_of_low_rank_alone(tmp_path: Path, steps: str, line: int, words: str) -> None:
    text = f"name: a\ndata: {{files: a.csv}}\nsteps:\n{steps}"
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    file = load_recipe(tmp_path / "recipe.yaml")
    (fault,) = order_faults(file, build_plan(file), open_base("penjing/nano", Path()))
    assert words in f"{fault.what} {fault.fix}"
    assert fault.where is not None and f":{line}:" in fault.where


@pytest.mark.parametrize("kind", ["lora", "pissa"])
def test_a_tenant_after_products_is_in_order(tmp_path: Path, kind: str) -> None:
    text = f"name: a\ndata: {{files: a.csv}}\nsteps:\n- tune.lora: {{kind: {kind}}}\n- compress.tenant: {{}}\n"
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    file = load_recipe(tmp_path / "recipe.yaml")
    assert order_faults(file, build_plan(file), open_base("penjing/nano", Path())) == []
