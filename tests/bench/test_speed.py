"""The speed bench's bookkeeping: a recipe that searches, scores beside times, and a page that claims no more."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from penjing.core.nouns import Artifact, Card, Table
from penjing.core.recipe import load_recipe
from penjing.model.encoder import Classifier

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("speed")


@pytest.fixture
def page(speed: ModuleType) -> ModuleType:
    assert speed.__name__ == "speed"
    return import_module("speed_page")


def test_a_recipe_of_the_spine_becomes_one_that_searches(speed: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\na,b\n")
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: x\ndata: {files: train.csv}\nsteps:\n  - tune.full: {epochs: 2, layers: 3}\n  - compress.int8: {}\n"
        "gates: {keep: 0.97, p99_ms: 20}\n"
    )
    tuned = [("tune.full", {"epochs": 2, "layers": 3})]
    recipe = load_recipe(speed.searching(path, speed.GATES["claim"])).recipe
    assert (recipe.search, recipe.step_list()) == ("compress", tuned)
    assert (recipe.gates.keep, recipe.gates.p50_ms, recipe.gates.times_faster) == (0.99, 0.25, 50.0)


# Test rows whose label is their first letter.
LABELS = ["ab"[i % 2] for i in range(80)]
DATA = SimpleNamespace(
    labels=("a", "b"),
    test=Table(texts=[f"{label} {i}" for i, label in enumerate(LABELS)], labels=LABELS),
    audit=SimpleNamespace(labels={"a": 40, "b": 40}),
)


def test_each_subject_has_its_score_what_it_keeps_and_its_times(speed: ModuleType) -> None:
    def right(texts: list[str]) -> list[str]:
        return [text[0] for text in texts]

    def always(texts: list[str]) -> list[str]:
        return ["a" for _ in texts]

    subjects = {
        "pipeline": speed.Subject("rival", right, right, None),
        "ours": speed.Subject("penjing", always, always, 1.5),
    }
    rows = speed.compare(subjects, LABELS, DATA, calls=50)
    assert rows["pipeline"]["kept"]["value"] == rows["pipeline"]["macro_f1"]["value"] == 1.0
    assert rows["pipeline"]["times_online"] == 1.0
    assert rows["ours"]["kept"]["value"] == pytest.approx(1 / 3, abs=1e-5)
    assert rows["ours"]["agreement"] == 0.5
    assert rows["ours"]["online"] == pytest.approx(1000 / rows["ours"]["mean_ms"], rel=0.01)
    assert rows["ours"]["offline"] >= rows["ours"]["online"]


def subject(
    kind: str, times: float, kept: float, lower: float, p50_ms: float = 0.1, p99_ms: float = 1.0
) -> dict[str, Any]:
    score = {"value": 0.9 * kept, "low": 0.8 * kept, "high": 0.95 * kept}
    mean = 20 / times
    return {
        "kind": kind, "macro_f1": score, "kept": {"value": kept, "lower": lower}, "p50_ms": p50_ms, "p99_ms": p99_ms,
        "mean_ms": mean, "online": 1000 / mean, "offline": 2000 / mean, "size_mb": 3.0,
        "times_online": times, "times_offline": times / 2,
    }  # fmt: skip


def run(sealed: str | None = None, **subjects: dict[str, Any]) -> dict[str, Any]:
    found = {"pipeline": subject("rival", 1.0, 1.0, 1.0), **subjects}
    variants = [{"name": name, "state": "sealed" if name == sealed else "passed"} for name in subjects]
    return {
        "set": "sms", "base": "e5", "rows": 0, "subjects": found, "threads": 2, "hardware": "a CPU", "test_rows": 700,
        "variants": variants, "gates": "claim",
        "decisions": {"automation_rate": 0.8, "error_among_automated": {"value": 0.03}},
    }  # fmt: skip


def test_the_claim_is_of_the_form_that_was_picked_and_held_only_with_all_its_parts(page: ModuleType) -> None:
    fast, sure = subject("penjing", 120, 0.999, 0.97), subject("penjing", 60, 1.0, 0.995)
    assert page.verdict(run("cascade", static=fast, cascade=sure), []) == (
        "**Held**: *cascade* is 60.0 times as fast as the pipeline, keeps 100.0 % (≥ 99.50 %) on 700 test rows, "
        "p50 0.10 ms, p99 1.0 ms."
    )
    unproven = page.verdict(run("static", static=fast, cascade=sure), [])
    assert unproven.startswith("**Unproven**: *static*") and unproven.endswith("Missed: bound of kept below 99 %.")
    slow = page.verdict(run("int8", int8=subject("penjing", 12, 1.0, 0.995, p99_ms=9.0)), [])
    assert slow.startswith("**Broken**") and slow.endswith("Missed: p99 above 5 ms; below 50 times.")
    assert page.verdict(run(None, static=fast), []) == "**Broken**: the search sealed nothing."
    refused = page.verdict(run(None, cascade=sure) | {"tested": "cascade"}, [])
    assert refused.startswith("**Broken**") and refused.endswith("Missed: the search's own test refused it.")
    less = page.verdict(run("int8", int8=subject("penjing", 60, 0.98, 0.97)), [])
    assert less.startswith("**Broken**"), "not unproven: the value itself is below what was asked"


def test_the_sets_that_hold_the_claim_are_counted(page: ModuleType) -> None:
    runs = [
        run("cascade", cascade=subject("penjing", 120, 1.0, 0.995)),
        run("int8", int8=subject("penjing", 16, 1.0, 0.992)) | {"set": "medical"},
        run() | {"set": "phrasebank"},
        run("int8", int8=subject("penjing", 16, 1.0, 0.992)) | {"gates": "spine"},
    ]
    assert "**Held on 1 of 3 sets.**" in page.page(runs)
    assert "**Held on 0 of 0 sets.**" in page.page([])


def test_what_is_kept_is_judged_over_all_folds_where_they_were_run(page: ModuleType) -> None:
    row = run("cascade", cascade=subject("penjing", 60, 1.0, 0.95))
    fold = {
        "set": "sms", "base": "e5", "rows": 0, "form": "cascade", "key": "k", "folds": 2, "fold": 0,
        "labels": ["a", "b"], "over": [0, 1], "truth": [0, 1] * 50, "teacher": [0, 1] * 50, "student": [0, 1] * 50,
    }  # fmt: skip
    first = page.verdict(row, [fold])
    assert "keeps 100.0 % (≥ 100.00 %) on 100 rows, 1 of 2 folds" in first
    assert first.startswith("**Unproven**"), "of an unfinished run the lower bound counts"
    poor = page.verdict(run("cascade", cascade=subject("penjing", 60, 1.0, 0.995)), [fold | {"student": [0, 0] * 50}])
    assert poor.startswith("**Broken**") and "bound of kept below 99 %" in poor
    held = page.verdict(row, [fold, fold | {"fold": 1}])
    assert held.startswith("**Held**") and "on all 200 rows in 2 folds" in held
    bad = fold | {"fold": 1, "student": [0, 0] * 50}
    assert "bound of kept below 99 %" in page.verdict(row, [fold, bad])
    # Another form's folds, or an older recipe's, say nothing of this one.
    assert page.folds_of(row, "static", [fold, fold | {"fold": 1}]) == []
    newer = fold | {"key": "new"}
    assert page.folds_of(row, "cascade", [fold, fold | {"fold": 1}, newer]) == [newer]
    assert page.folds_of(row, "cascade", [fold, fold]) == [fold], "a fold that was run twice counts once"


def test_a_set_has_one_table_of_its_rivals_its_forms_and_the_form_that_was_judged(page: ModuleType) -> None:
    tried, chosen = "static, then int8 (97% alike)", "static, then int8 (99% alike)"
    forms = {name: subject("penjing", 60, 1.0, 0.995) for name in (tried, chosen)}
    row = run(chosen, static=subject("penjing", 120, 0.999, 0.97), onnx_int8=subject("rival", 3, 0.98, 0.96), **forms)
    text = page.page([row])
    assert text.count("| what |") == 1
    assert "| Penjing: static | 0.899 | 99.9 | 97.0 | 0.10 | 1.0 | 120.0 | 60.0 | 3.0 |" in text
    assert f"| **Penjing: {chosen}** |" in text and tried not in text
    assert "ONNX Runtime dynamic INT8, teacher" in text


def test_other_promises_than_the_claims_have_a_line_of_their_own(page: ModuleType) -> None:
    row = run("int8", int8=subject("penjing", 12, 0.99, 0.975)) | {"gates": "spine"}
    assert "**Sealed**: *int8* is 12.0 times as fast as the pipeline, keeps 99.0 % (≥ 97.50 %)" in page.page([row])


def test_of_two_runs_of_a_set_the_newer_alone_is_shown(page: ModuleType) -> None:
    old, new = (run("static", static=subject("penjing", times, 1.0, 1.0)) for times in (45, 120))
    assert page.newest([old, new]) == [new] and page.newest([old, new])[0] is new
    text = page.page([old, new])
    assert "120.0 times" in text and "45.0" not in text


def test_without_the_large_base_it_says_what_is_missing(speed: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["speed.py", "--data", "x", "--out", "y"])
    with pytest.raises(SystemExit, match="needs --models"):
        speed.main()


def test_the_student_for_careful_engineers_is_that_of_the_form_that_was_tested(speed: ModuleType) -> None:
    def made(name: str, method: str, *parents: str) -> Artifact:
        steps = tuple({"parent": parent} for parent in parents)
        return Artifact(Path(), name, Card(form="onnx", method=method, lineage=steps))

    found = [
        made("deep", "compress.distill"),
        made("flat", "compress.distill"),
        made("first", "compress.int8", "tuned", "flat"),
        made("second", "compress.cascade", "tuned", "deep", "int8"),
        made("last", "compress.static", "tuned"),
    ]
    artifacts = {one.id: one for one in found}
    report: dict[str, Any] = {"variants": [{"name": one.id, "artifact": one.id} for one in found[2:]], "tested": None}
    assert speed.student_of(report, artifacts) is artifacts["deep"]
    assert speed.student_of(report | {"tested": "first"}, artifacts) is artifacts["flat"]
    assert speed.student_of(report | {"tested": "last"}, artifacts) is artifacts["deep"]
    assert speed.student_of(report | {"variants": []}, artifacts) is None


def test_operations_are_those_of_the_weights_and_of_attention(speed: ModuleType) -> None:
    assert speed.__name__ == "speed"
    peak = import_module("peak")
    encoder = torch.nn.ModuleDict({"layer": torch.nn.Linear(8, 16)})
    encoder.config = SimpleNamespace(hidden_size=8, num_hidden_layers=1)
    found = peak.operations(Classifier(encoder, 2))
    assert found == 2 * 32 * 128 * 8 * 16 + 2 * 32 * 8 * 2 + 4 * 32 * 128 * 128 * 8
