"""What a run depends on: other rows, another base or another report have another key; a changed OUT is not returned."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from penjing.core.nouns import Release, Silent
from penjing.core.recipe import load_recipe
from penjing.data.prepare import prepare
from penjing.make.timings import Measured
from penjing.make.unchanged import find_ended, keep_ended, key_of
from penjing.tasks import open_reader


def test_the_key_is_of_all_that_a_run_depends_on(recipe_in: Callable[..., Path]) -> None:
    data = prepare(load_recipe(recipe_in()), open_reader("classify", {}), Silent())
    key = key_of(data, ["base"], True)
    assert key == key_of(data, ["base"], True)
    others = [
        key_of(data, ["other"], True),
        key_of(data, ["base"], False),
        key_of(replace(data, fingerprint="f"), ["base"], True),
        key_of(replace(data, unlabelled=("more",)), ["base"], True),
    ]
    assert key not in others


def test_without_a_report_or_with_another_release_nothing_is_found(tmp_path: Path, tiny_release: Release) -> None:
    kept, key = Measured(tmp_path / "kept", "about"), ["ended", "a"]
    assert find_ended(kept, key, tmp_path) is None
    keep_ended(kept, key, tiny_release)
    assert find_ended(kept, key, tmp_path) is None
    shutil.copytree(tiny_release.folder, tmp_path / "release")
    (tmp_path / "report.html").write_text("", encoding="utf-8")
    (tmp_path / "report.json").write_text("{}", encoding="utf-8")
    assert find_ended(kept, key, tmp_path) is None, "no report of a run"
