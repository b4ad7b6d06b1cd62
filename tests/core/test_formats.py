"""A file of a later format is no damage: every door says that a newer version wrote it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from penjing.core.artifact import CARD, open_artifact, open_release, write_artifact
from penjing.core.canon import canonical_json
from penjing.core.certificate import CERTIFICATE, FORMATS, INFO, POLICY, SELFCHECK
from penjing.core.errors import StoreError, UsageError
from penjing.core.folder import sealed_folder
from penjing.core.formats import refuse_newer
from penjing.core.nouns import CARD_FORMAT, Card, Release
from penjing.engines.early_exit import EXITS, ExitEngine
from penjing.engines.static import SETTINGS as STATIC
from penjing.engines.static import StaticEngine
from penjing.runtime import cascade, ngrams
from penjing.store.signing import load_key, make_key, save_key

NEWER = "has the format 9, and this installation reads formats up to {}: a newer version of penjing wrote it"


def seal_again(folder: Path, target: Path, name: str, change: dict[str, object]) -> Path:
    """A copy of a sealed folder with other values in one JSON file, sealed like the first."""
    with sealed_folder(target) as fresh:
        shutil.copytree(folder, fresh, dirs_exist_ok=True, ignore=shutil.ignore_patterns("MANIFEST"))
        if name.startswith("model/"):
            shutil.rmtree(fresh / "model")
            seal_again(folder / "model", fresh / "model", name.removeprefix("model/"), change)
        else:
            (fresh / name).write_bytes(canonical_json({**json.loads((fresh / name).read_bytes()), **change}))
            if (folder / "model").is_dir():
                shutil.rmtree(fresh / "model")
                shutil.copytree(folder / "model", fresh / "model")
    return target


@pytest.mark.parametrize(
    ("name", "last"),
    [(INFO, 3), (CERTIFICATE, 4), (POLICY, 7), (SELFCHECK, 2), (f"model/{CARD}", CARD_FORMAT)],
)
def test_a_release_of_a_later_format_is_not_damaged(
    tmp_path: Path, tiny_release: Release, name: str, last: int
) -> None:
    known = seal_again(tiny_release.folder, tmp_path / "known", name, {})
    assert open_release(known).info == tiny_release.info
    later = seal_again(tiny_release.folder, tmp_path / "later", name, {"format": 9, "new_key": 1})
    with pytest.raises(UsageError, match=NEWER.format(last)) as caught:
        open_release(later)
    assert caught.value.exit_code == 2
    assert caught.value.fix == "install the version of penjing that made it, or a newer one"


@pytest.mark.parametrize(
    ("name", "content", "opened", "last"),
    [
        (STATIC, {"format": 9, "characters": 2, "words": 1, "bits": 4}, lambda made: StaticEngine.load(made), 2),
        (EXITS, {"format": 9, "thresholds": [0.5]}, lambda made: ExitEngine.load(made, 1), 1),
        (cascade.EXITS, {"format": 9, "threshold": 0.5, "audit": 0}, lambda made: cascade.read_exits(made.folder), 2),
        (ngrams.WEIGHTS, {"format": 9, "encoder": 1, "ngrams": 1}, lambda made: ngrams.read_weights(made.folder), 1),
    ],
)
def test_a_model_of_a_later_format_is_not_damaged(
    tmp_path: Path, name: str, content: dict[str, object], opened: Callable[..., object], last: int
) -> None:
    card = Card(form="static", method="m", labels=("a", "b"))
    made = write_artifact(tmp_path / "a", card, lambda folder: (folder / name).write_bytes(canonical_json(content)))
    with pytest.raises(UsageError, match=NEWER.format(last)):
        opened(open_artifact(made.folder))


def test_a_key_of_a_later_format_is_an_error_of_the_store(tmp_path: Path) -> None:
    save_key(tmp_path / "key", make_key("d"))
    assert load_key(tmp_path / "key") is not None
    (tmp_path / "key").write_bytes(canonical_json({**json.loads((tmp_path / "key").read_bytes()), "format": 9}))
    with pytest.raises(StoreError, match=NEWER.format(1)):
        load_key(tmp_path / "key")


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", '{"format": "9"}', '{"format": true}', {"format": 2}, {}])
def test_what_names_no_later_format_is_left_to_its_reader(content: bytes | str | dict[str, object]) -> None:
    refuse_newer(content, 2, "file.json")


def test_every_known_format_of_a_release_is_the_one_that_its_reader_takes() -> None:
    from penjing.core.certificate import Certificate
    from penjing.core.nouns import ReleaseInfo
    from penjing.decide.policy import PolicySpec

    for name, model in ((INFO, ReleaseInfo), (CERTIFICATE, Certificate), (POLICY, PolicySpec)):
        known = model.model_json_schema()["properties"]["format"]["enum"]
        assert max(known) == FORMATS[name]
