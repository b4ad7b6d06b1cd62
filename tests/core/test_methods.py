"""Methods by name, and the hash of all the project's code that a result depends on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from penjing.core import methods
from penjing.core.errors import RecipeError
from penjing.core.methods import load_method, source_hash
from penjing.core.task import HeadKind, Loss


def test_an_unknown_step_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="did you mean `linear`"):
        load_method("liner", {"linear": "penjing.tune.linear", "full": "penjing.tune.full"}, "r.yaml:3:5")


def test_source_hash_follows_imports() -> None:
    assert source_hash("penjing.core.folder") == source_hash("penjing.core.folder")
    assert source_hash("penjing.core.folder") != source_hash("penjing.core.canon")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project of its own: `one` imports a name of `two`, and `three` is imported by none."""
    folder = tmp_path / "penjing"
    folder.mkdir()
    for name, text in {"one": "from penjing.two import name\n", "two": "name = 2\n", "three": "name = 3\n"}.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(methods, "_PACKAGE", folder)
    methods._file_of.cache_clear()
    yield folder
    methods._file_of.cache_clear()


def test_an_edit_while_the_process_runs_changes_the_hash_of_what_imports_it(package: Path) -> None:
    before = source_hash("penjing.one")
    (package / "three.py").write_text("name = 4\n", encoding="utf-8")
    assert source_hash("penjing.one") == before
    (package / "two.py").write_text("from penjing.three import name\n", encoding="utf-8")
    edited = source_hash("penjing.one")
    assert edited != before
    (package / "three.py").write_text("name = 5\n", encoding="utf-8")
    assert source_hash("penjing.one") != edited, "what a new import brings in counts too"


def test_a_hash_imports_nothing() -> None:
    """`make` of a linear model would load torch for the sake of a hash."""
    code = "import sys; from penjing.core.methods import source_hash; source_hash('penjing.make.run')"
    code += "; sys.exit('penjing.make.run' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_loss_and_kind_of_head_has_words_for_a_refusal() -> None:
    assert set(methods._IN_WORDS) == set(get_args(Loss))
    assert set(methods._ABOUT) == set(get_args(HeadKind))
