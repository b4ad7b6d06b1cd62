"""The search: every chain once, no depth below one that broke its promise, the smallest that holds them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penjing.core.answers import Choice
from penjing.core.certificate import Gate
from penjing.core.methods import Done, Step
from penjing.core.nouns import Artifact, Card, Prediction, Silent
from penjing.core.recipe import Gates
from penjing.make.choose import gate
from penjing.make.search import search as search_module
from penjing.make.search.chains import AGREEMENTS, Chain, chains
from penjing.make.search.search import (
    Search,
    TriedChain,
    choose_smallest,
    second_stage,
    smallest_held,
    worth_healing,
)
from penjing.measure.latency import Latency
from penjing.prove.score import Scored, judge
from penjing.report.contract import Note
from penjing.report.found import Variant
from penjing.tasks import card_fields, open_reader, open_task

GATES = Gates(keep=0.97, size_mb=30)


class Told(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def judged(name: str, right: float, size_mb: float = 10.0, rows: int = 4000) -> Variant:
    """A variant that is right on that share of many rows, held to a teacher that is right on 95 %."""
    found = scored(right, rows)
    made = Variant(
        name=name,
        artifact=Artifact(Path(name), name, Card(form="onnx", method=name, labels=("no", "yes"))),
        session=None,  # type: ignore[arg-type]
        scored=found,
        score=found.interval(),
        latency=Latency(1.0, 2.0, 500.0, (1.0,) * 5, (2.0,) * 5, 1000, 32),
        size_mb=size_mb,
    )
    return gate(made, scored(0.95, rows), GATES)


def scored(right: float, rows: int) -> Scored:
    """Rows of two labels; the share `right` is guessed right, and of two shares the lower is within the higher."""
    truth = np.arange(rows) % 2
    wrong = np.random.default_rng(0).permutation(rows) >= round(right * rows)
    guess = np.where(wrong, 1 - truth, truth)
    task = open_task("classify", {"labels": ["no", "yes"]})
    answers = [Choice(("no", "yes"), (1.0 - place, float(place))) for place in guess.tolist()]
    return judge(task, [Prediction("", answer) for answer in answers], [task.scopes[place] for place in truth])


def quickest(variants: Sequence[Variant]) -> Variant:
    return min(variants, key=lambda variant: variant.latency.p50_ms)


def test_depths_are_halved_and_each_is_healed() -> None:
    found = list(chains(12))
    assert [chain.title for chain in found] == [
        "static", "all layers", "all layers, INT8", "6 layers", "6 layers, INT8", "3 layers", "3 layers, INT8",
        "1 layer", "1 layer, INT8",
    ]  # fmt: skip
    assert [step.name for step in found[1].steps] == ["compress.export"]
    assert [step.name for step in found[6].steps] == ["compress.layers", "compress.distill", "compress.int8"]
    assert found[6].steps[0].options.model_dump()["keep"] == 3
    assert [chain.layers for chain in chains(4)] == [0, 4, 4, 2, 2, 1, 1]
    both = list(chains(2, both=True))
    assert [chain.title for chain in both[2:4]] == ["all layers, INT8", "all layers, INT8 on ONNX Runtime"]
    assert [chain.form for chain in both[2:4]] == [("compress.int8", "auto"), ("compress.int8", "onnx")]


def run(
    scores: dict[str, tuple[float, float]], card: Card | None = None
) -> tuple[list[str], list[str], list[list[str]]]:
    """Titles that were tried, lines that were told, and the steps of each chain, with (score, MB) by title."""
    told, made = Told(), []

    def step(one: Step, parent: Artifact) -> Done:
        made.append([parent.id, one.name])
        return Done(one, Artifact(Path(), f"{parent.id}>{one.name}", Card(form="onnx", method=one.name)), 0.0, False)

    teacher = Artifact(Path(), "teacher", card or Card(form="torch", method="tune.full"))
    every = [chain for chain in chains(4) if chain.title in scores]
    tried = Search(teacher, every, step, lambda title, _: judged(title, *scores[title]), quickest, told).run()
    return [each.chain.title for each in tried], told.lines, made


def test_no_depth_is_tried_below_one_that_broke_its_promise() -> None:
    scores: dict[str, Any] = {
        "static": (0.9, 1),
        "all layers": (0.95, 60),
        "2 layers": (0.80, 20),
        "2 layers, with n-grams": (0.85, 21),
        "1 layer": (0.7, 10),
        "static, then all layers (99.8% agreement)": (0.949, 61),
    }
    titles, lines, made = run(scores)
    assert titles == [
        "static",
        "all layers",
        "2 layers",
        "2 layers, with n-grams",
        "static, then all layers (99.8% agreement)",
    ]
    assert any(line.startswith("1 layer: not tried") for line in lines)
    assert made[2:5] == [
        ["teacher", "compress.layers"],
        ["teacher>compress.layers", "compress.distill"],
        ["teacher>compress.layers>compress.distill", "compress.export"],
    ]


def test_an_encoder_that_keeps_too_little_is_tried_with_n_grams_and_no_other_is() -> None:
    scores: dict[str, Any] = {
        "static": (0.9, 1),
        "all layers": (0.95, 60),
        "2 layers": (0.80, 25),
        "2 layers, with n-grams": (0.949, 26),
        "1 layer": (0.7, 10),
        "1 layer, with n-grams": (0.75, 11),
        "static, then 2 layers, with n-grams (99.8% agreement)": (0.949, 27),
    }
    titles, lines, made = run(scores)
    assert titles == list(scores), "the shallower depth is tried, for its deeper neighbour keeps enough with n-grams"
    healed = "teacher>compress.layers>compress.distill"
    assert [f"{healed}>compress.export", "compress.ngrams"] in made
    assert made.count([healed, "compress.export"]) == 2, "one for each depth: no encoder is made twice"
    assert lines[-1].endswith("best so far: 2 layers, with n-grams")


def test_a_form_with_n_grams_that_lacks_nothing_but_size_gets_smaller_embeddings() -> None:
    scores: dict[str, Any] = {
        "all layers, INT8": (0.5, 60),
        "all layers, INT8, with n-grams": (0.949, 61),
        "all layers, INT8, with n-grams, embeddings in 4 bits": (0.949, 25),
        "static, then all layers, INT8, with n-grams, embeddings in 4 bits (99.8% agreement)": (0.949, 26),
    }
    titles, _, made = run(scores)
    assert titles == list(scores)
    assert [name for _, name in made[2:5]] == ["compress.embeddings", "compress.int8", "compress.ngrams"]
    assert made[2][0] == "teacher"


def test_a_task_without_labels_gets_no_cascade() -> None:
    scores = {"static": (0.9, 1), "all layers": (0.95, 60), "static, then all layers (99.8% agreement)": (0.949, 61)}
    numbers = open_reader("score", {}).learn(["1", "2.5"])
    card = Card(form="torch", method="tune.full", **card_fields(numbers, {"edges": []}))
    assert run(scores)[0] == list(scores)
    assert run(scores, card)[0] == ["static", "all layers"]


def test_the_smallest_int8_form_that_lacks_nothing_but_size_gets_smaller_embeddings() -> None:
    scores: dict[str, Any] = {
        "all layers": (0.95, 90),
        "all layers, INT8": (0.949, 60),
        "2 layers": (0.949, 50),
        "2 layers, INT8": (0.948, 40),
        "1 layer": (0.90, 20),
        "1 layer, with n-grams": (0.90, 21),
        "2 layers, INT8, embeddings in 4 bits": (0.947, 25),
        "static, then 2 layers, INT8, embeddings in 4 bits (99.8% agreement)": (0.947, 26),
    }
    titles, lines, made = run(scores)
    assert titles == list(scores)
    assert made[-3:] == [
        ["teacher>compress.layers>compress.distill", "compress.embeddings"],
        ["teacher>compress.layers>compress.distill>compress.embeddings", "compress.int8"],
        ["teacher>compress.layers>compress.distill>compress.embeddings>compress.int8", "compress.cascade"],
    ]
    assert lines[-1].endswith("best so far: 2 layers, INT8, embeddings in 4 bits")


def test_a_cascade_lets_more_leave_early_until_it_is_fast_enough() -> None:
    first, second, third = (f"static, then all layers ({share}% agreement)" for share in ("99.8", "99.5", "99"))
    times = {"static": 0.1, "all layers": 8.0, first: 3.0, second: 0.5}
    right = {"static": 0.85}
    assert timed(times, 20.0, right) == list(times), "no milder one than the promised times ask for"
    times |= {second: 2.0, third: 0.5}
    assert timed(times, 20.0, right) == list(times)
    fast_enough = {"static": 0.1, "all layers": 8.0, first: 0.5}
    assert timed(fast_enough, 0.9, right) == list(fast_enough), "nor one for the slowest texts, which it does not help"
    # What does not keep the score already keeps no more where fewer texts are asked twice.
    del times[third]
    assert timed(times, 20.0, right | {second: 0.8}) == list(times)


def test_what_cannot_become_smaller_than_what_holds_everything_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A linear model of 0.2 MB that holds every promise ends the search at once, and the report says why."""
    least = {"static": 0.5, "all layers": 40.0, "2 layers": 20.0, "1 layer": 9.0}
    by_steps = {chain.steps: least[chain.title] for chain in chains(4) if chain.title in least}
    monkeypatch.setattr(search_module, "least_mb", lambda steps, *_: by_steps.get(tuple(steps), 99.0))
    made: list[str] = []

    def step(one: Step, parent: Artifact) -> Done:
        made.append(one.name)
        return Done(one, Artifact(Path(), f"{parent.id}>{one.name}", Card(form="onnx", method=one.name)), 0.0, False)

    def found(linear: Variant, scores: dict[str, tuple[float, float]]) -> tuple[list[str], list[str]]:
        made.clear()
        skipped: list[Note] = []
        teacher = Artifact(Path(), "teacher", Card(form="torch", method="tune.full"))
        every = [chain for chain in chains(4) if chain.title in least]
        judge = lambda title, _: judged(title, *scores[title])  # noqa: E731
        tried = Search(teacher, every, step, judge, quickest, Silent(), 0, 0, [linear], skipped).run()
        return [each.chain.title for each in tried], [note.text for note in skipped]

    titles, skipped = found(judged("tune.linear", 0.95, 0.2), {})
    assert (titles, made) == ([], [])
    reason = "it takes at least 40.0 MB, and tune.linear with 0.2 MB holds every promise."
    assert skipped[1] == f"all layers: not tried, because {reason}"
    assert len(skipped) == 4
    titles, skipped = found(judged("tune.linear", 0.95, 15.0), {"static": (0.8, 0.6), "1 layer": (0.95, 10)})
    assert titles == ["static", "1 layer"]
    assert [line.partition(":")[0] for line in skipped] == [
        "all layers",
        "2 layers",
        "static, then 1 layer (97% agreement)",
    ]
    titles, skipped = found(judged("tune.linear", 0.6, 0.2), {"static": (0.95, 0.6)})
    assert titles == ["static"], "a linear model that breaks a promise rules nothing out, and the static one does"
    assert len(skipped) == 3


def test_int8_that_breaks_its_promise_stops_no_depth() -> None:
    scores: dict[str, Any] = {
        "all layers, INT8": (0.5, 15),
        "all layers, INT8, with n-grams": (0.5, 16),
        "2 layers": (0.95, 20),
        "2 layers, INT8": (0.949, 8),
        "2 layers, INT8, embeddings in 4 bits": (0.5, 5),
        "static, then 2 layers, INT8 (99.8% agreement)": (0.949, 9),
    }
    titles, lines, made = run(scores)
    assert titles == list(scores)
    assert "refused (keep" in lines[1]
    assert lines[-1].endswith("best so far: 2 layers, INT8")
    assert made[-1] == ["teacher>compress.layers>compress.distill>compress.int8", "compress.cascade"]


def healed(rights: list[float], trials: int, first: float = 0.925, more: tuple[str, ...] = ()) -> list[str]:
    """What is judged, in order, where two layers keep too little to be proven and each way of healing does so much."""
    names: list[str] = []

    def step(one: Step, parent: Artifact) -> Done:
        about = f"{parent.id}>{one.name} {one.options.model_dump(exclude_unset=True)}"
        return Done(one, Artifact(Path(), about, Card(form="openvino", method=one.name)), 0.0, False)

    def judge(title: str, _: Artifact) -> Variant:
        names.append(title)
        if "healing" in title and "static" not in title:
            return judged(title, rights[len([name for name in names if "healing" in name]) - 1], rows=300)
        return judged(title, {"2 layers": first, "all layers": 0.95}.get(title, 0.6), rows=300)

    every = [chain for chain in chains(4) if chain.title in {"2 layers", "static", *more}]
    teacher = Artifact(Path(), "teacher", Card(form="torch", method="tune.full"))
    Search(teacher, every, step, judge, quickest, Silent(), trials).run()
    return names


def test_ways_of_healing_are_tried_until_one_is_proven() -> None:
    assert [name for name in healed([], 0) if "healing" in name] == []
    ways = [f"2 layers, healing {number}" for number in (1, 2, 3)]
    assert healed([0.92, 0.9499, 0.94], 3)[3:5] == ways[:2], "the second one is proven"
    names = healed([0.92, 0.93, 0.92], 3)
    assert names[2] == "2 layers, with n-grams", "n-grams need no healing: they are tried first"
    assert names[3:6] == ways
    assert names[6] == "static, then 2 layers, healing 2 (99.8% agreement)", "the best of them is the second stage"
    names = healed([0.92, 0.9499], 3, more=("all layers",))
    assert ways[1] in names and ways[2] not in names, "that the whole model keeps its own score changes nothing"
    assert not [name for name in healed([], 3, first=0.8) if "healing" in name], "what is broken is not healed again"


def timed(steps_of: dict[str, float], p99_ms: float, right: dict[str, float]) -> list[str]:
    """What is judged, in order, where every form takes so long and p50 must be under 1 ms."""
    names: list[str] = []

    def step(one: Step, parent: Artifact) -> Done:
        return Done(one, Artifact(Path(), f"{parent.id}>{one.name}", Card(form="onnx", method=one.name)), 0.0, False)

    def judge(title: str, _: Artifact) -> Variant:
        names.append(title)
        score = 0.3 if title.endswith("not healed") else right.get(title, 0.95)
        variant = judged(title, score, size_mb=10 + steps_of[title])
        speed = Latency(steps_of[title], 2 * steps_of[title], 0.0, (), (), 1000, 32)
        state = "broken" if steps_of[title] > 1 else "unproven" if steps_of[title] == 1 else "held"
        late = [Gate(name="p50_ms", promised=1, measured=1, bound=1, state=state)]
        state = "broken" if 2 * steps_of[title] > p99_ms else "held"
        late.append(Gate(name="p99_ms", promised=p99_ms, measured=1, bound=1, state=state))
        return replace(variant, latency=speed, gates=(*variant.gates, *late))

    wanted = {title.removesuffix(", not healed") for title in steps_of}
    every = [chain for chain in chains(4) if chain.title in wanted]
    teacher = Artifact(Path(), "teacher", Card(form="torch", method="tune.full"))
    Search(teacher, every, step, judge, quickest, Silent()).run()
    return names


def test_a_depth_that_is_too_slow_is_not_healed() -> None:
    slow = {
        "static": 0.1, "all layers": 8.0, "2 layers, not healed": 4.0, "1 layer, not healed": 0.9, "1 layer": 0.9,
    }  # fmt: skip
    assert timed(slow, 5.0, {}) == list(slow)


def test_what_the_cascade_needs_is_healed_after_all() -> None:
    slow = {
        "static": 0.1, "all layers": 8.0, "2 layers, not healed": 2.0, "1 layer, not healed": 1.5,
        "static, then 2 layers (97% agreement), not healed": 0.2, "2 layers": 2.0,
        "static, then 2 layers (99.8% agreement)": 0.2,
    }  # fmt: skip
    assert timed(slow, 5.0, {"static": 0.85}) == list(slow)


def test_a_depth_too_slow_behind_a_first_stage_is_not_healed_for_it() -> None:
    slow = {
        "static": 0.1, "all layers": 8.0, "2 layers, not healed": 2.0, "1 layer, not healed": 1.5,
        "static, then 2 layers (97% agreement), not healed": 1.1,
        "static, then 1 layer (97% agreement), not healed": 0.8,
        "1 layer": 1.5,
        "static, then 1 layer (99.8% agreement)": 0.9,
    }  # fmt: skip
    assert timed(slow, 5.0, {"static": 0.85}) == list(slow)


@pytest.mark.parametrize("takes", [1.1, 1.0], ids=["broken", "unproven"])
def test_where_no_exits_prove_the_times_of_the_healed_depth_a_shallower_one_is_healed(takes: float) -> None:
    slow = {
        "static": 0.1, "all layers": 8.0, "2 layers, not healed": 2.0, "1 layer, not healed": 1.5,
        "static, then 2 layers (97% agreement), not healed": 0.9, "2 layers": 2.0,
        **{f"static, then 2 layers ({100 * each:g}% agreement)": takes for each in AGREEMENTS},
        "static, then 1 layer (97% agreement), not healed": 0.8, "1 layer": 1.5,
        "static, then 1 layer (99.8% agreement)": 0.9,
    }  # fmt: skip
    assert timed(slow, 5.0, {"static": 0.85}) == list(slow)


def test_where_the_healed_depth_does_not_keep_its_promise_a_deeper_one_is_healed() -> None:
    slow = {
        "static": 0.1, "all layers": 8.0, "2 layers, not healed": 2.0, "1 layer, not healed": 1.5,
        "static, then 2 layers (97% agreement), not healed": 1.1,
        "static, then 1 layer (97% agreement), not healed": 0.8,
        "1 layer": 1.5, "1 layer, with n-grams": 1.6, "2 layers": 2.0, "static, then 2 layers (99.8% agreement)": 0.2,
    }  # fmt: skip
    right = {"static": 0.85, "1 layer": 0.6, "1 layer, with n-grams": 0.6}
    assert timed(slow, 5.0, right) == list(slow), "no cascade is timed twice"


def test_the_deepest_that_is_in_time_behind_a_first_stage_is_worth_healing() -> None:
    def waits(title: str, p50_ms: float) -> tuple[Chain, Variant]:
        speed = Latency(p50_ms, 2 * p50_ms, 0.0, (), (), 1000, 32)
        chain = next(chain for chain in chains(4) if chain.title == title)
        return chain, replace(judged(title, 0.5), latency=speed)

    def pick(*waiting: tuple[Chain, Variant]) -> str:
        return worth_healing(waiting, lambda _, timed: timed.latency.p50_ms < 2.5, quickest).title

    deep, half, one = waits("all layers", 4.0), waits("2 layers", 2.2), waits("1 layer", 1.2)
    assert pick(deep, half, one) == "2 layers"
    packed = waits("2 layers, INT8", 2.4)
    smaller = packed[0], replace(packed[1], size_mb=half[1].size_mb / 2)
    assert pick(deep, half, smaller, one) == "2 layers, INT8"
    assert pick(deep, half, packed, one) == "2 layers", "of two alike in size the faster"
    assert pick(deep, waits("2 layers", 3.0)) == "2 layers", "the fastest where none is in time"


def test_the_second_stage_is_the_smallest_that_keeps_all_promises_but_those_on_time() -> None:
    def tried(title: str, right: float, size_mb: float, p50: str = "broken") -> TriedChain:
        variant = judged(title, right, size_mb)
        late = Gate(name="p50_ms", promised=0.1, measured=1.0, bound=1.0, state=p50)
        chain = next(chain for chain in chains(4) if chain.title == title)
        return TriedChain(chain, (), replace(variant, gates=(*variant.gates, late)))

    large, small = tried("all layers", 0.95, 25), tried("2 layers", 0.949, 12)
    static, broken = tried("static", 0.95, 1, "held"), tried("1 layer", 0.6, 5)
    assert second_stage([large, small, broken, static]) is small
    assert second_stage([broken, static]) is None
    too_large = tried("2 layers", 0.949, 50)
    assert second_stage([large, too_large]) is large
    assert second_stage([broken, too_large]) is too_large
    late = Gate(name="p99_ms", promised=5, measured=9, bound=8, state="broken")
    late_small = replace(small, variant=replace(small.variant, gates=(*small.variant.gates, late)))
    assert second_stage([large, late_small]) is large
    assert second_stage([late_small, broken]) is late_small
    fast = replace(late_small.variant, latency=replace(small.variant.latency, p99_ms=1.5))
    faster = TriedChain(too_large.chain, (), fast)
    assert second_stage([late_small, faster]) is faster


def test_the_smallest_that_holds_everything_is_picked() -> None:
    variants = [judged("large", 0.95, 25), judged("small", 0.949, 12), judged("smaller", 0.80, 5)]
    best = smallest_held(variants)
    assert best is not None and best.name == "small"
    choice = choose_smallest(variants, judged("linear", 0.70, 1))
    assert choice is not None
    assert (choice.variant.name, choice.fell_back) == ("small", False)
    choice = choose_smallest(variants, judged("linear", 0.95, 1))
    assert choice is not None and choice.variant.name == "linear"


def test_where_none_is_proven_the_likeliest_to_keep_the_score_stands() -> None:
    variants = [judged("close", 0.93, 10, rows=300), judged("far", 0.91, 5, rows=300)]
    assert smallest_held(variants) is None
    choice = choose_smallest(variants, judged("linear", 0.70, 1, rows=300))
    assert choice is not None and choice.variant.name == "close"
    assert "the 2 forms" in choice.why  # the plain model breaks the promise
    # A plain model is no exception, and is held to the tuned model's score as all others are.
    choice = choose_smallest(variants, judged("linear", 0.94, 1, rows=300))
    assert choice is not None and (choice.variant.name, choice.fell_back) == ("linear", False)
    late = Gate(name="mean_ms", promised=1, measured=1.01, bound=0.99, state="unproven")
    quick = late.model_copy(update={"measured": 0.9, "state": "held"})
    variants = [replace(each, gates=(*each.gates, gate)) for each, gate in zip(variants, (late, quick), strict=True)]
    choice = choose_smallest(variants, judged("linear", 0.70, 1, rows=300))
    assert choice is not None and choice.variant.name == "far", "it holds its time too"
    broken = [judged("bad", 0.5, 10), judged("worse", 0.4, 5)]
    assert choose_smallest(broken, judged("linear", 0.3, 1)) is None
