"""`make`, whole: seals what holds, refuses what does not, ends in the same ids however often it is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.make.conftest import write_rows

from penjing.core.artifact import open_artifact, open_release, promises, read_gates
from penjing.core.errors import RecipeError, RuleError, RunInterruptedError, UsageError
from penjing.core.folder import verify
from penjing.core.machine import fastest_engine
from penjing.decide.decider import Decider, Request
from penjing.make import choose as choose_module
from penjing.make import making as making_module
from penjing.make.run import make_release
from penjing.make.search.chains import chains
from penjing.model.base import open_base
from penjing.prove.amend import amend, read_certificate
from penjing.prove.gates import in_words
from penjing.prove.openings import LEDGER, read_openings
from penjing.prove.sequence import upper_bound
from penjing.report.found import ChosenVariant
from penjing.tune import probe
from penjing.tune.probe import Pace

pytestmark = pytest.mark.usefixtures("short_times")

ENCODER = "  - tune.full: {epochs: 1, learning_rate: 5.0e-4, layers: 1, max_tokens: 32}\n  - compress.int8: {}"


def test_a_linear_release_decides_and_is_cached(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    recipe = recipe_in()
    made = make_release(recipe, tmp_path / "out")
    assert made.release is not None, made.refused
    assert made.report.sealed
    info = made.release.info
    assert (info.format, info.columns, info.labels_read_as) == (2, {"text": "text", "label": "label"}, {})
    assert made.report.test.score.value > 0.95
    assert [step.cached for step in made.report.steps] == [False]
    certificate = read_certificate(made.release)
    assert certificate.certified
    assert certificate.gates == (), "what was tested is what is sealed: the promises are beside it"
    gates = promises(made.release, certificate.model_dump())
    assert {gate["name"]: gate["state"] for gate in gates} == {"size_mb": "held"}
    decided = Decider(open_release(tmp_path / "out" / "release")).decide([Request("房间很脏，非常失望")])[0]
    assert decided.decision.outcome == "差"
    (tmp_path / "out" / "cache" / "tune-full-of-another-recipe").mkdir()
    again = make_release(recipe, tmp_path / "out", again=True)
    assert again.release is not None and not again.unchanged
    assert again.release.id == made.release.id
    assert [step.cached for step in again.report.steps] == [True]
    kept = {path.name.split("-")[0] for path in (tmp_path / "out" / "cache").iterdir()}
    assert kept == {"tune", "machine", "labels"}, "shrunk"
    assert again.report.doubts == made.report.doubts is not None and made.report.doubts.looked == 360
    assert not (tmp_path / "out" / "cache" / "tune-full-of-another-recipe").exists()
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert verify(tmp_path / "out" / "releases" / made.release.id[:12]) == made.release.id


def test_numbers_go_the_whole_way(tmp_path: Path) -> None:
    """From rows with numbers to a certified release whose report names the metrics of the task."""
    drawn, values = random.Random(0), {"awful": 0, "poor": 1, "fine": 2, "good": 3, "great": 4}
    lines = ["text,label"]
    for number in range(700):
        word = drawn.choice(list(values))
        words = [*drawn.sample(("room", "staff", "box", "today", "again", "price", "door"), 3), word, f"n{number}"]
        lines.append(f"{' '.join(words)},{values[word] + drawn.gauss(0, 0.2):.2f}")
    (tmp_path / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "rules.csv").write_text("name,value,then\nlow,<0.5,review\n", encoding="utf-8")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "name: numbers\ntask: {type: score, kind: number, within: 0.5}\ndata: {files: rows.csv}\n"
        "steps: [{tune.linear: {c: [64]}}]\ngates: {keep: 0.9, score: 0.7, unproven: allow}\n"
        "decide: {max_error: 0.15, rules: rules.csv}\nthreads: 1\n",
        encoding="utf-8",
    )
    made = make_release(recipe, tmp_path / "out")
    assert made.release is not None, made.refused
    report, certificate = made.report, read_certificate(made.release)
    assert (report.task, report.gold, report.test.metric) == ("score", "value", "within")
    assert report.test.score.value > 0.85 and report.test.metrics["mae"].value < 0.4
    assert [(block.name, block.kind) for block in report.sections] == [("errors_by_value", "table")]
    assert [(gate.name, gate.state) for gate in report.gates] == [("score", "held")]
    assert [note.phrase for note in report.notes] == ["keep_untested"]
    assert report.rules is not None and report.rules.rules[0].conditions == (("value", "<0.5"),)
    assert report.rules.rules[0].decided
    assert certificate.certified and set(certificate.thresholds) == {"*"} and certificate.ruled > 0.1
    assert "further than 0.5" in certificate.an_error and "further than 0.5" in report.verdict
    first, low = Decider(open_release(tmp_path / "out" / "release")).decide(
        [Request("the staff today: great"), Request("the box, awful again")]
    )
    assert abs(float(first.decision.outcome) - 4) < 0.6 and first.decision.decided_by == "model"
    assert (low.decision.route, low.decision.fired) == ("review", ("low",))
    assert make_release(recipe, tmp_path / "out").unchanged


def test_a_broken_gate_seals_nothing_and_moves_the_old_release_aside(
    recipe_in: Callable[..., Path], tmp_path: Path
) -> None:
    first = make_release(recipe_in(), tmp_path / "out").release
    assert first is not None
    made = make_release(recipe_in(gates="{size_mb: 0.001}"), tmp_path / "out")
    assert made.release is None
    assert not made.report.sealed
    assert any("size_mb" in line and "broken" in line for line in made.refused)
    assert not (tmp_path / "out" / "release").exists()
    assert verify(tmp_path / "out" / "releases" / first.id[:12]) == first.id
    assert '"sealed": false' in (tmp_path / "out" / "report.json").read_text(encoding="utf-8")


def test_rules_that_alone_break_a_limit_on_misses_seal_nothing(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("name,text,then\nroom,contains 今天,outcome 好\n", encoding="utf-8")
    recipe = recipe_in(rules="rules.csv")
    limited = recipe.read_text(encoding="utf-8").replace("max_error: 0.10", "max_error: 0.10, max_miss: {差: 0.05}")
    assert "max_miss" in limited
    recipe.write_text(limited, encoding="utf-8")
    made = make_release(recipe, tmp_path / "out", language="zh")
    assert made.release is None and not made.report.sealed and not (tmp_path / "out" / "release").exists()
    (broken,) = [gate for gate in made.report.gates if gate.state == "broken"]
    (harm,) = [row for row in made.report.harm if row.label == "差"]
    assert (broken.name, broken.measured) == ("max_miss", harm.forced / harm.rows) and broken.bound > 0.05
    assert made.refused == (in_words(broken),) and "`room` (rules.csv:2)" in made.refused[0]
    assert made.advice.startswith("correct the rules")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert f"仅规则就使 {harm.forced} 行得到别的结果" in page and "仅由规则造成的漏判" in made.report.verdict


def test_shared_rows_give_score_and_certificate_at_half_the_level_each(
    recipe_in: Callable[..., Path], tmp_path: Path
) -> None:
    recipe = recipe_in(gates="{score: 0.5, unproven: allow}")
    written = recipe.read_text(encoding="utf-8")
    recipe.write_text(written.replace("label: label}", "label: label, held_out: shared}"), encoding="utf-8")
    made = make_release(recipe, tmp_path / "out")
    assert made.release is not None, made.refused
    certificate, report = read_certificate(made.release), made.report
    assert certificate.shared and certificate.confidence == 0.975 and certificate.certified
    splits = report.data.splits
    assert splits["train"] >= 0.7 * sum(report.data.labels.values()) and splits["calibration"] == splits["test"]
    assert certificate.rows == report.test.rows == splits["test"]
    assert not {*certificate.used} & {*certificate.calibration}
    assert (note := next(one for one in report.notes if one.phrase == "held_out_shared")).values["joint"] == "95"
    assert f"The same {certificate.rows} held-out rows gave the score" in note.text
    assert report.harm[0].high > upper_bound(report.harm[0].wrong, report.harm[0].rows), (
        "thresholds were chosen on them"
    )
    (opening,) = read_openings(recipe.parent / LEDGER)
    assert opening.delta == 0.025 and opening.rows == {*certificate.calibration}
    # Of 700 rows the first 500 are those of the recipe; rows that `amend` is given certify alone, at the whole level.
    (tmp_path / "rules.csv").write_text("name,text,then\nroom,contains 今天,review\n", encoding="utf-8")
    write_rows(tmp_path / "more.csv", 700)
    amended = amend(made.release, tmp_path / "rules.csv", tmp_path / "more.csv", tmp_path / "amended", threads=1)
    assert (amended.rows, amended.used, amended.certificate.rows) == (700, 500, 200)
    assert amended.certificate.confidence == 0.95 and not amended.certificate.shared
    recipe.write_text(recipe.read_text(encoding="utf-8").replace("0.10", "0.12"), encoding="utf-8")
    again = make_release(recipe, tmp_path / "out").release
    assert again is not None and read_certificate(again).confidence == 0.9875, "another promise on the same rows"


def test_mistakes_are_told_before_any_work(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"did you mean `tune\.linear`"):
        make_release(recipe_in(steps="  - tune.liner: {}"), tmp_path / "out")
    with pytest.raises(UsageError, match="no-such-base"):
        make_release(recipe_in(steps=ENCODER, base="no-such-base"), tmp_path / "out")
    (tmp_path / "rules.csv").write_text("name,lable,then\na,好,review\n", encoding="utf-8")
    with pytest.raises(RuleError, match="did you mean `label`"):
        make_release(recipe_in(rules="rules.csv"), tmp_path / "out")
    (tmp_path / "rules.csv").write_text("name,label,then\na,好,review\nb,好,outcome 差\n", encoding="utf-8")
    with pytest.raises(RuleError, match="review"):
        make_release(recipe_in(rules="rules.csv"), tmp_path / "out")
    assert not (tmp_path / "out" / "cache").exists()


def test_stopped_before_a_step(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(RunInterruptedError, match="stopped"):
        make_release(recipe_in(), tmp_path / "out", stop=lambda: True)


def test_a_file_where_the_folder_goes_is_told(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="this is a file, and the results need a folder"):
        make_release(recipe_in(), tmp_path / "taken")
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


def test_rules_that_are_edited_while_it_works_are_not_what_is_sealed(
    recipe_in: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate was counted with the rules as they were checked; a file that is gone is no matter either."""
    before = "name,label,p,text,then,why\ncold,,,contains 差,review,cold\n"
    recipe = recipe_in(rules="rules.csv")
    rules = tmp_path / "rules.csv"
    measure = making_module.measure
    for number, edit in enumerate((lambda: rules.write_text(before.replace("差", "好")), rules.unlink)):
        rules.write_text(before, encoding="utf-8")

        def edited(*given: Any, edit: Callable[[], object] = edit, **more: Any) -> Any:
            if rules.exists():
                edit()
            return measure(*given, **more)

        monkeypatch.setattr(making_module, "measure", edited)
        release = make_release(recipe, tmp_path / f"out{number}").release
        assert release is not None
        assert (release.folder / "policy" / "rules.csv").read_text(encoding="utf-8") == before


def test_one_writer_at_a_time(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    import fcntl

    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another `penjing make`"):
            make_release(recipe_in(), tmp_path / "out")


def test_a_damaged_result_in_the_cache_is_made_again(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    recipe = recipe_in()
    made = make_release(recipe, tmp_path / "out")
    card = next((tmp_path / "out" / "cache").glob("tune-linear-*/card.json"))
    card.write_bytes(card.read_bytes()[:-5])
    again = make_release(recipe, tmp_path / "out", again=True)
    assert made.release is not None
    assert again.release is not None
    assert again.release.id == made.release.id
    assert [step.cached for step in again.report.steps] == [False]


def test_rules_as_a_chinese_spreadsheet_saves_them(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("name,label,then,why\n差评,差,review,差评由人处理\n", encoding="gb18030")
    made = make_release(recipe_in(rules="rules.csv"), tmp_path / "out")
    assert made.release is not None, made.refused
    decided = Decider(made.release).decide([Request("房间很脏，非常失望")])[0]
    assert decided.decision.fired == ("差评",)


@pytest.mark.whole
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_encoder_the_whole_way(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    gates = "{size_mb: 40, times_faster: 0.1, unproven: allow}"
    made = make_release(recipe_in(steps=ENCODER, gates=gates), tmp_path / "out")
    states = {variant.name: variant.state for variant in made.report.variants}
    assert states["compress.export"] == "refused", "fp32 is larger than the gate allows, by measurement in this run"
    assert states["compress.int8"] in {"sealed", "passed"}
    assert made.release is not None
    assert made.report.teacher is not None
    assert {gate.name: gate.state for gate in made.report.gates} == {"size_mb": "held", "times_faster": "held"}
    assert [step.name for step in made.report.steps][-1] == "compress.int8"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_threads_are_decided_once_and_read_again(
    recipe_in: Callable[..., Path], tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed run that found another clock would end in other bits: what was decided is read again."""
    steps = "  - tune.full: {epochs: 1, learning_rate: [1.0e-3, 2.0e-3], max_tokens: 16}"
    recipe = recipe_in(steps=steps, base=str(tiny_base), gates="{}")
    recipe.write_text(recipe.read_text(encoding="utf-8").replace("threads: 1\n", ""), encoding="utf-8")
    found = iter([Pace({"1": 0.1, "2": 0.5}, 10), Pace({"1": 0.5, "2": 0.1}, 10)])
    monkeypatch.setattr(probe, "measure_pace", lambda *_: next(found))
    monkeypatch.setattr(making_module, "choose", lambda forms, *_, **__: ChosenVariant(forms[-1], False))

    def stop_behind(step: str) -> Callable[[], bool]:
        return lambda: bool(list((tmp_path / "out" / "cache").glob(f"{step}*/MANIFEST")))

    with pytest.raises(RunInterruptedError):
        make_release(recipe, tmp_path / "out", stop=stop_behind("tune-linear"))
    made = make_release(recipe, tmp_path / "out")
    assert made.report.speed.threads == 1
    assert made.report.steps[0].cached, "the threads are part of the key"
    assert next(found).threads == 2, "it was asked once"
    # The encoder was sealed: what it was made of stays beside it, and later training starts there.
    kept = open_artifact(tmp_path / "out" / "trainable")
    assert kept.card.method == "tune.full"
    assert made.release is not None
    assert made.release.info.trainable == kept.id
    assert open_base("out/release", tmp_path).id == kept.id
    assert not list((tmp_path / "out" / "cache").glob("*.scratch"))


@pytest.mark.whole
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_search_measures_every_form_and_ends_in_one(
    recipe_in: Callable[..., Path], tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = "  - tune.full: {epochs: 2, learning_rate: 2.0e-3, max_tokens: 32}\nsearch: compress"
    # Of a twentieth of the labels nobody can know: so few rows prove no such score, and every form is tried.
    recipe = recipe_in(steps=steps, base=str(tiny_base), gates="{keep: 0.5, macro_f1: 0.95, unproven: allow}")
    drawn = random.Random(0)
    lines = ["text,label"]
    for number in range(400):
        kind = ("delivery", "price")[number % 2]
        words = [f"{kind}{drawn.randrange(10)}" for _ in range(3)] + [f"common{drawn.randrange(10)}" for _ in range(6)]
        drawn.shuffle(words)
        told = ("delivery", "price")[(number + 1) % 2] if drawn.random() < 0.05 else kind
        lines.append(f"{' '.join(words)},{told}")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    timed: list[str] = []
    times = choose_module.latency
    monkeypatch.setattr(choose_module, "latency", lambda *args, **more: timed.append("") or times(*args, **more))
    measured = tmp_path / "out" / "cache" / "measured"
    process = subprocess.Popen([sys.executable, "-m", "penjing", "make", str(recipe), "--out", str(tmp_path / "out")])
    while process.poll() is None and len(list(measured.glob("[!.]*"))) < 4:
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    before = len(list(measured.glob("[!.]*")))
    made = make_release(recipe, tmp_path / "out")
    assert len(timed) + before == len(made.report.variants), "what was timed before the kill is not timed again"
    assert not measured.exists(), "a run that ended leaves no times behind"
    assert made.release is not None, made.refused
    second = made.report.variants[-2].name
    assert second.startswith("static, then "), "last comes a cascade"
    # On ONNX Runtime the smallest INT8 form is tried with smaller embeddings too.
    tried = [variant.name for variant in made.report.variants]
    every = [chain.title for chain in chains(2, both=fastest_engine() != "onnx")]
    added = [name for name in tried if name != second and ("embeddings" in name or "n-grams" in name)]
    assert [name for name in tried if name not in added] == [*every, second, "tune.linear"]
    branched = [name.removesuffix(", with n-grams") for name in added if name.endswith(", with n-grams")]
    assert branched and set(branched) <= set(every)
    assert sum(variant.state == "sealed" for variant in made.report.variants) == 1
    names = [step.name for step in made.report.steps]
    assert names.count("compress.distill") == names.count("compress.layers") == names.count("compress.static") == 1
    cached = [step.name for step in made.report.steps if step.cached]
    assert {"tune.linear", "tune.full", "compress.layers"} <= set(cached), "what was done before the stop is kept"
    again = make_release(recipe, tmp_path / "out", again=True)
    assert again.release is not None
    assert again.release.id == made.release.id
    assert all(step.cached for step in again.report.steps)
    assert {row.name for row in again.report.variants} == set(tried), "what was measured is shown again"
    kept = [path for path in (tmp_path / "out" / "cache").iterdir() if (path / "MANIFEST").exists()]
    lineage = again.release.artifact.card.lineage
    assert len(kept) <= len(lineage) + 1, "the sealed form, what it was made of, and the linear model"
    assert not (tmp_path / "out" / "cache" / "shared").exists()


@pytest.mark.whole
def test_killed_at_random_it_ends_in_the_same_ids(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    recipe = recipe_in()
    command = [sys.executable, "-m", "penjing", "make", str(recipe), "--out"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True, env=environment)
    seconds = time.monotonic() - began
    expected = verify(tmp_path / "whole" / "release")
    draw = random.Random(0)
    for _ in range(5):
        process = subprocess.Popen(
            [*command, str(tmp_path / "out")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        try:
            process.wait(draw.uniform(0.1, 1) * seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if (tmp_path / "out" / "release").exists():
            assert verify(tmp_path / "out" / "release") == expected
    subprocess.run([*command, str(tmp_path / "out")], check=True, capture_output=True, env=environment)
    assert verify(tmp_path / "out" / "release") == expected


def test_text_is_a_path_too_and_the_earlier_release_is_kept_by_its_id(
    recipe_in: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    first = make_release(str(recipe_in()), "~/out").release
    second = make_release(str(recipe_in(rows=480)), "~/out").release
    assert first is not None and second is not None and first.id != second.id
    assert open_release("~/out/release").id == second.id
    assert open_release(f"~/out/releases/{first.id[:12]}").id == first.id
    kept = open_release(str(tmp_path / "out" / "releases" / first.id[:12]))
    assert {gate["name"]: gate["state"] for gate in read_gates(kept)} == {"size_mb": "held"}
    monkeypatch.chdir(tmp_path)
    relative = open_release("out/release")
    monkeypatch.chdir("/")
    assert Decider(relative).decide([Request("房间很脏，非常失望")])[0].decision.outcome == "差", "after a chdir too"


def test_the_options_of_a_linear_step_are_those_of_the_release(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    made = make_release(recipe_in("  - tune.linear: {words: 0, characters: 2, c: [4.0]}"), tmp_path / "out")
    assert made.release is not None
    options = open_artifact(made.release.folder / "model").card.lineage[0]["options"]
    assert (options["words"], options["characters"], options["c"]) == (0, 2, [4.0])


def test_a_finished_run_ends_at_once_until_something_changes(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    recipe, out = recipe_in(), tmp_path / "out"
    first = make_release(recipe, out)
    assert first.release is not None and not first.unchanged
    observed = (out / "report.json").read_bytes()
    second = make_release(recipe, out)
    assert second.unchanged and second.release is not None and second.release.id == first.release.id
    assert second.report == first.report and (out / "report.json").read_bytes() == observed
    chinese = make_release(recipe, out, language="zh")
    assert chinese.unchanged and "已封装" in chinese.report.verdict
    assert 'lang="zh' in (out / "report.html").read_text(encoding="utf-8")
    english = make_release(recipe, out, language="en")
    assert english.unchanged and english.report.verdict.startswith("Sealed")
    assert not make_release(recipe, out, texts=False).unchanged, "another report is asked for"
    assert make_release(recipe, out, texts=False).unchanged
    rows = tmp_path / "rows.csv"
    rows.write_text(rows.read_text(encoding="utf-8") + "又便宜又好，下次还来买,好\n", encoding="utf-8")
    assert not make_release(recipe, out, texts=False).unchanged
    (out / "release" / "certificate.json").write_text("{}", encoding="utf-8")
    assert not make_release(recipe, out, texts=False).unchanged, "the release there is damaged"
    recipe.write_text(recipe.read_text(encoding="utf-8") + "seed: 9\n", encoding="utf-8")
    assert not make_release(recipe, out, texts=False).unchanged
