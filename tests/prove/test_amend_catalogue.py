"""Another catalogue for a sealed linear model: coefficients that stay, entries that are new, and what is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from penjing.core.artifact import open_release, read_gates
from penjing.core.errors import DataError, UsageError
from penjing.core.folder import verify
from penjing.decide.decider import Decider, Request
from penjing.prove import amend_catalogue as module
from penjing.prove.amend_catalogue import CatalogueFile, Changed, amend_catalogue, with_catalogue
from penjing.runtime.open import open_served

ENTRIES = [("pay", "how to pay a bill"), ("stop", "cancel a payment"), ("card", "where is my card"), ("pin", "new pin")]
WORDS = {"pay": "bill invoice", "stop": "cancel stop", "card": "card plastic", "pin": "pin code"}
RECIPE = """name: desk
language: en
task: {type: nearest, among: faq.csv, id: id}
data: {files: rows.csv, text: text, label: entry}
steps: [{tune.linear: {}}]
gates: {unproven: allow}
decide: {max_error: 0.3}
threads: 1
"""
pytestmark = pytest.mark.usefixtures("short_times")


def write_csv(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def rows(count: int, seed: int) -> list[tuple[str, str]]:
    draw, names = np.random.default_rng(seed), [name for name, _ in ENTRIES]
    picked = [names[int(place)] for place in draw.integers(0, 4, count)]
    return [(f"{draw.choice(WORDS[name].split())} request {seed} {number}", name) for number, name in enumerate(picked)]


@pytest.fixture
def made(penjing: Callable[..., Any], tmp_path: Path) -> Path:
    write_csv(tmp_path / "faq.csv", ("id", "text"), *ENTRIES)
    write_csv(tmp_path / "rows.csv", ("text", "entry"), *rows(260, 1))
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    done = penjing("make", "recipe.yaml")
    assert done.code == 0, done.err
    return tmp_path


def test_a_release_of_other_entries(made: Path) -> None:
    release, before = open_release(made / "out" / "release"), verify(made / "out" / "release")
    # `pin` goes, `close` and `odd` are new, `card` has another id, and the order is another one.
    others = (("card2", "where is my card"), ("close", "end my contract"), ("pay", "how to pay a bill"))
    write_csv(made / "new.csv", ("id", "text"), *others, ("stop", "cancel a payment"), ("odd", "жщ"))
    file = CatalogueFile(made / "new.csv", identity="id")
    changed, counts = with_catalogue(release, file, made / "changed")
    assert counts == Changed(kept=3, added=2, removed=1, unknown=1)
    texts = [text for text, _ in rows(20, 9)]
    old, new = (open_served(one).outputs(texts)["entry"] for one in (release, changed))
    assert np.array_equal(old[:, [2, 0, 1]], new[:, [0, 2, 3]]), "what their rows taught stays, to the bit"
    suite = [json.loads(line)["label"] for line in (changed.folder / "regression.jsonl").read_bytes().splitlines()]
    assert set(suite) <= {"pay", "stop"} and suite
    fresh = [(text, "card2" if name == "card" else name) for text, name in rows(200, 2) if name != "pin"]
    data = write_csv(made / "fresh.csv", ("text", "entry"), *fresh)
    rules = made / "rules.csv"
    rules.write_text("name,entry,then\nends,close,review\n", encoding="utf-8")
    amended, again = amend_catalogue(release, file, rules, data, made / "amended")
    assert again == counts and amended.certificate.certified and amended.certificate.rows == len(fresh)
    assert not read_gates(amended.release), "promises of the old catalogue are about another model"
    assert amended.release.info.artifact == amended.release.artifact.id != release.artifact.id
    decided, closed = Decider(amended.release, threads=1).decide(
        [Request("bill request 9 3", {}), Request("end my contract", {})]
    )
    assert decided.decision.outcome == "pay" and decided.decision.route == "automatic", decided.decision
    assert closed.decision.fired == ("ends",) and closed.decision.facts["entry"] == "close"
    assert verify(made / "out" / "release") == before
    _what_cannot_be_is_refused(made, file, rules, data)


def _what_cannot_be_is_refused(made: Path, file: CatalogueFile, rules: Path, data: Path) -> None:
    release, out = open_release(made / "out" / "release"), made / "never"
    gone = write_csv(made / "gone.csv", ("text", "entry"), ("a new pin", "pin"), ("the bill", "pay"))
    with pytest.raises(DataError) as error:
        amend_catalogue(release, file, rules, gone, out)
    assert "`pin`" in error.value.what or "'pin'" in str(error.value)
    none = write_csv(made / "none.csv", ("id", "text"), ("none", "nothing"), ("pay", "how to pay a bill"))
    with pytest.raises(DataError, match="means that no entry is right") as error:
        amend_catalogue(release, CatalogueFile(none, identity="id"), rules, data, out)
    assert error.value.where == str(none)
    with pytest.raises(UsageError, match="replace the old one"):
        amend_catalogue(release, file, rules, data, release.folder)
    assert not out.exists()


@pytest.mark.parametrize("task", ["nearest", "classify"])
def test_other_models_are_refused_with_what_to_do(
    task: str, monkeypatch: pytest.MonkeyPatch, tiny_release: Any
) -> None:
    entries: dict[str, Any] = {"entry_texts": ("a", "b"), "with_entries": print} if task == "nearest" else {}
    session = SimpleNamespace(task=SimpleNamespace(name=task, **entries), engine=object())
    monkeypatch.setattr(module, "open_served", lambda _: session)
    with pytest.raises(UsageError) as error:
        with_catalogue(tiny_release, CatalogueFile(Path("faq.csv")), Path("never"))
    assert ("penjing make" if task == "nearest" else "--catalogue") in (error.value.fix or "")
