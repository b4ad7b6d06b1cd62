"""The search for the smallest model that keeps every promise on this machine: chains of compressions, tried in turn.

First comes the model without any layer, the smallest of all. A form that cannot become smaller than one that holds
every promise already (the linear model among them) is not made (`bound.py`). Then the teacher's layers are halved
until one is left. Each depth is healed by the teacher and measured in float32 and in INT8, on the engine that is the
faster one on this kind of processor; where the recipe leaves the engine open, in INT8 on ONNX Runtime too, whose scales
follow each text. Where a depth in float32 has broken `keep` on validation, no smaller one is tried.

Unless the model without layers holds every promise, two more are tried. One is the smallest INT8 form that holds them,
but for its size, with its embeddings in four bits. The other is a cascade: the model without layers first, for the rest
the smallest form that keeps every promise but those on time, for as many texts as the promised times allow. That form
is healed for the cascade if need be, a deeper one where a shallower does not keep the score.

Time does not depend on what the weights are. Where a form was too slow, the next depth is timed before it is healed,
and healed only if it is fast enough or if the cascade needs it. In the cascade, too, it is timed before it is healed;
where the healed one is too slow after all, a shallower one is healed. Every step is cached, and every time that was
taken until the run ends: a kill loses what was under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from penjing.core.methods import Done, Step
from penjing.core.nouns import Artifact, Progress
from penjing.make.plan import single_step
from penjing.make.search.bound import least_mb
from penjing.make.search.heal import METHOD, Healing
from penjing.prove.gates import TIMES
from penjing.report.contract import Note
from penjing.report.found import ChosenVariant, Variant
from penjing.report.verdict import metric_name, note_of

# What a milder exit shortens. The slowest texts are those that come to the second stage, however few they are.
SHORTENED = ("p50_ms", "mean_ms", "times_faster")
# How far the texts that leave a cascade early agree with the teacher. All are alike in size, so the strictest that is
# fast enough is taken: validation rows are too few to tell how much of the score a milder one gives away.
AGREEMENTS = (0.998, 0.995, 0.99, 0.98, 0.97)


@dataclass(frozen=True)
class Chain:
    """Steps behind the teacher that end in a form that can be sealed; `layers` are left (0: no transformer)."""

    title: str
    layers: int
    steps: tuple[Step, ...]

    @property
    def form(self) -> tuple[str, object]:
        """What the last step makes: forms of one kind differ in depth alone."""
        last = self.steps[-1]
        return last.name, getattr(last.options, "engine", None)


@dataclass(frozen=True)
class TriedChain:
    """A chain with what each of its steps made, and what the last one was measured to be."""

    chain: Chain
    done: tuple[Done, ...]
    variant: Variant


def chains(layers: int, both: bool = False) -> Iterator[Chain]:
    """All chains for a teacher of that many layers: the one without layers, then the largest first.

    both: INT8 on ONNX Runtime too.
    """
    yield Chain("static", 0, (single_step("compress.static"),))
    depth = layers
    while depth:
        whole = depth == layers
        healed = () if whole else (single_step("compress.layers", {"keep": depth}), single_step(METHOD))
        name = "all layers" if whole else f"{depth} layer{'s' if depth > 1 else ''}"
        yield Chain(name, depth, (*healed, single_step("compress.export")))
        yield Chain(f"{name}, INT8", depth, (*healed, single_step("compress.int8")))
        if both:
            onnx = single_step("compress.int8", {"engine": "onnx"})
            yield Chain(f"{name}, INT8 on ONNX Runtime", depth, (*healed, onnx))
        depth //= 2


@dataclass
class Search:
    """Chains tried in their order, and what came of them.

    step: makes (or finds) an artifact; judge: measures one under a title against the gates; race: the fastest of some
    variants, timed in turn, for what `judge` measures minutes apart cannot tell them apart.
    trials: so many other ways of healing, at most, for a student that is not proven to keep the score.
    proven: what was measured before, the linear model; skipped: filled with what was not tried, and why.
    """

    teacher: Artifact
    every: Sequence[Chain]
    step: Callable[[Step, Artifact], Done]
    judge: Callable[[str, Artifact], Variant]
    race: Callable[[Sequence[Variant]], Variant]
    progress: Progress
    trials: int = 0
    seed: int = 0
    proven: Sequence[Variant] = ()
    skipped: list[Note] = field(default_factory=list)
    tried: list[TriedChain] = field(default_factory=list, init=False)
    # Forms that were too slow before they were healed, as they were timed; and whether they are in time in a cascade.
    waiting: list[tuple[Chain, Variant]] = field(default_factory=list, init=False)
    judged: dict[str, bool] = field(default_factory=dict, init=False)

    def run(self) -> list[TriedChain]:
        """Try them all, in the order that the module describes."""
        self._try_depths()
        if smallest_held([each.variant for each in self.tried if not each.chain.layers]):
            return self.tried
        self._heal_for_the_cascade()
        self._heal_otherwise()
        self._shrink_embeddings()
        self._try_cascades()
        return self.tried

    def _try_depths(self) -> None:
        too_few = 0
        slow: dict[tuple[str, object], bool] = {}
        for number, chain in enumerate(self.every, start=1):
            if 0 < chain.layers <= too_few:
                self._skip(note_of("skipped_layers", title=chain.title, layers=str(too_few + 1)))
                continue
            if self._is_beaten(chain):
                continue
            self.progress.say(f"search: {chain.title} ({number} of {len(self.every) + 1})")
            if chain.layers and slow.get(chain.form):
                timed = self._unhealed(chain)
                if _broke(timed, *TIMES):
                    said = f"not healed, p50 {timed.latency.p50_ms:.2f} ms is too slow as it is"
                    self.progress.say(f"{chain.title}: {said}")
                    self.waiting.append((chain, timed))
                    continue
            variant = self._attempt(chain).variant
            slow[chain.form] = _broke(variant, *TIMES)
            if _broke(variant, "keep") and chain.form[0] == "compress.export":
                too_few = chain.layers

    def _heal_for_the_cascade(self) -> None:
        """Of the forms too slow alone, the deepest that keeps the score and is in time as a second stage."""
        deeper = [each for each in self.waiting if not self._is_beaten(behind_static(each[0], min(AGREEMENTS)))]
        while deeper:
            healed = self._heal(deeper)
            if not _broke(healed.variant, "keep"):
                break
            deeper = [each for each in deeper if each[0].layers > healed.chain.layers]

    def _heal_otherwise(self) -> None:
        students = [each for each in self.tried if METHOD in {one.name for one in each.chain.steps}]
        best = max(
            (each for each in students if not _broke(each.variant, "keep")),
            key=lambda each: _keep_bound(each.variant),
            default=None,
        )
        if not self.trials or best is None or self._is_beaten(best.chain):
            return
        healing, chain = Healing(self.seed), best.chain
        for number in range(1, self.trials + 1):
            if _holds(best.variant, "keep"):
                break
            self.progress.say(f"search: {chain.title}, healed another way ({number} of {self.trials} at most)")
            last = self._attempt(healed_by(chain, healing.ask(), number))
            healing.tell(_keep_bound(last.variant))
            best = max(best, last, key=lambda each: _keep_bound(each.variant))

    def _shrink_embeddings(self) -> None:
        whole = to_shrink(self.tried)
        if whole is None:
            return
        chain = with_small_embeddings(whole.chain)
        if not self._is_beaten(chain):
            self.progress.say(f"search: {chain.title}")
            self._attempt(chain, whole.done[:-1])

    def _try_cascades(self) -> None:
        second = second_stage(self.tried)
        if second is not None and self._is_beaten(behind_static(second.chain, min(AGREEMENTS))):
            second = None
        while second is not None:
            last = self._try_agreements(second)
            depths = {each.chain.layers for each in self.tried}
            shallower = [each for each in self.waiting if each[0].layers < second.chain.layers]
            shallower = [each for each in shallower if each[0].layers not in depths]
            if not shallower or _holds(last.variant, *TIMES):
                break
            second = self._heal(shallower)
            if _broke(second.variant, "keep"):
                break

    def _try_agreements(self, second: TriedChain) -> TriedChain:
        for agreement in AGREEMENTS:
            chain = behind_static(second.chain, agreement)
            self.progress.say(f"search: {chain.title} ({len(self.every) + 1} of {len(self.every) + 1})")
            last = self._attempt(chain, second.done)
            # A milder one keeps less and is faster.
            if _holds(last.variant, *SHORTENED) or _broke(last.variant, "keep"):
                break
        return last

    def _heal(self, slow_forms: Sequence[tuple[Chain, Variant]]) -> TriedChain:
        chain = worth_healing(slow_forms, self._is_in_time, self.race)
        self.progress.say(f"search: {chain.title}, for the cascade")
        return self._attempt(chain)

    def _is_in_time(self, chain: Chain, timed: Variant) -> bool:
        """Whether it is fast enough behind a first stage with the mildest exits of all."""
        if chain.title not in self.judged:
            last = behind_static(chain, min(AGREEMENTS))
            self.progress.say(f"search: {last.title}, not healed")
            cascade = self.step(last.steps[-1], timed.artifact).artifact
            self.judged[chain.title] = not _broke(self.judge(f"{last.title}, not healed", cascade), *TIMES)
        return self.judged[chain.title]

    def _is_beaten(self, chain: Chain) -> bool:
        """Whether what holds every promise already is as small as this chain can become."""
        best = self._best()
        least = least_mb(chain.steps, chain.layers, self.teacher)
        if best is None or least < best.size_mb:
            return False
        sizes = {"least": f"{least:.1f}", "best": best.name, "size": f"{best.size_mb:.1f}"}
        self._skip(note_of("skipped_size", title=chain.title, **sizes))
        return True

    def _skip(self, note: Note) -> None:
        self.skipped.append(note)
        self.progress.say(note.text)

    def _attempt(self, chain: Chain, before: Sequence[Done] = ()) -> TriedChain:
        done = list(before)
        for one in chain.steps[len(done) :]:
            done.append(self.step(one, done[-1].artifact if done else self.teacher))
        made = TriedChain(chain, tuple(done), self.judge(chain.title, done[-1].artifact))
        self.tried.append(made)
        best = self._best()
        self.progress.say(f"{_told(made.variant)}; best so far: {best.name if best else 'none'}")
        return made

    def _unhealed(self, chain: Chain) -> Variant:
        first = self.step(chain.steps[0], self.teacher)
        return self.judge(f"{chain.title}, not healed", self.step(chain.steps[-1], first.artifact).artifact)

    def _best(self) -> Variant | None:
        return smallest_held([*self.proven, *(each.variant for each in self.tried)])


def healed_by(chain: Chain, options: dict[str, object], number: int) -> Chain:
    """The same chain with other options of healing."""
    steps = [single_step(METHOD, options) if one.name == METHOD else one for one in chain.steps]
    return Chain(f"{chain.title}, healing {number}", chain.layers, tuple(steps))


def worth_healing(
    waiting: Sequence[tuple[Chain, Variant]],
    in_time: Callable[[Chain, Variant], bool],
    race: Callable[[Sequence[Variant]], Variant],
) -> Chain:
    """Of the forms too slow alone the deepest that can be in time as a cascade's second stage; else the fastest.

    The deeper one keeps more of the score of the hard texts, which are those that come to it.
    At the same depth it is the smaller one, and of two of about the same size the faster.
    """
    for layers in sorted({chain.layers for chain, _ in waiting}, reverse=True):
        alike = [each for each in waiting if each[0].layers == layers]
        room = 1.1 * min(timed.size_mb for _, timed in alike)
        small = [each for each in alike if each[1].size_mb <= room]
        winner = race([timed for _, timed in small])
        chain = next(chain for chain, timed in small if timed is winner)
        if in_time(chain, winner):
            return chain
    return min(waiting, key=lambda each: each[1].latency.p50_ms)[0]


def to_shrink(tried: Sequence[TriedChain]) -> TriedChain | None:
    """The smallest encoder in INT8 on ONNX Runtime that holds every gate, or would but for its size; else None."""
    good = [
        each
        for each in tried
        if each.chain.steps[-1].name == "compress.int8"
        and each.variant.artifact.card.form == "onnx"
        and all(gate.state == "held" or gate.name == "size_mb" for gate in each.variant.gates)
    ]
    return min(good, key=lambda each: each.variant.size_mb, default=None)


def with_small_embeddings(chain: Chain) -> Chain:
    """The same chain with the words' table in four bits, before all else goes into eight."""
    small = single_step("compress.embeddings", {"bits": 4}), single_step("compress.int8", {"engine": "onnx"})
    return Chain(f"{chain.title}, embeddings in 4 bits", chain.layers, (*chain.steps[:-1], *small))


def behind_static(chain: Chain, agreement: float) -> Chain:
    """The same chain as the second stage of a cascade, whose exits agree so far with the teacher."""
    cascade = single_step("compress.cascade", {"agreement": agreement})
    title = f"static, then {chain.title} ({100 * agreement:g}% alike)"
    return Chain(title, chain.layers, (*chain.steps, cascade))


def second_stage(tried: Sequence[TriedChain]) -> TriedChain | None:
    """The smallest encoder that holds every gate but those on time; where none does, the likeliest to keep the score.

    Where all break p99, the fastest: only the slowest of the few texts that come so far make a cascade's p99. None
    without one whose score may be kept.
    """
    encoders = [each for each in tried if each.chain.layers and not _broke(each.variant, "keep")]
    in_time = [each for each in encoders if not _broke(each.variant, "p99_ms")]
    if encoders and not in_time:
        return min(encoders, key=lambda each: each.variant.latency.p99_ms)
    held = [each for each in in_time if all(g.state == "held" or g.name in TIMES for g in each.variant.gates)]
    if held:
        return min(held, key=lambda each: each.variant.size_mb)
    return max(in_time, key=lambda each: _keep_bound(each.variant), default=None)


def smallest_held(variants: Sequence[Variant]) -> Variant | None:
    """The smallest variant that holds every gate on validation; of two alike the faster."""
    held = [variant for variant in variants if all(gate.state == "held" for gate in variant.gates)]
    return min(held, key=lambda variant: (variant.size_mb, variant.latency.p50_ms), default=None)


def choose_smallest(variants: Sequence[Variant], linear: Variant) -> ChosenVariant | None:
    """The smallest variant, the linear model among them, that holds every gate on validation.

    Where none holds them all, of those that no gate refuses the one that holds the most, of several the likeliest to
    keep the score, and of two alike the smaller; None where all are refused.
    """
    every = [*variants, linear]
    best = smallest_held(every)
    if best is not None:
        return ChosenVariant(best, False, note_of("why_smallest", forms=str(len(every))))
    passed = [variant for variant in every if not variant.refused]
    if not passed:
        return None
    likeliest = max(passed, key=lambda each: (_held(each), _keep_bound(each), -each.size_mb))
    return ChosenVariant(likeliest, False, note_of("why_likeliest", forms=str(len(passed))))


def _keep_bound(variant: Variant) -> float:
    return next((gate.bound for gate in variant.gates if gate.name == "keep"), variant.score.low)


def _broke(variant: Variant, *gates: str) -> bool:
    return any(gate.name in gates and gate.state == "broken" for gate in variant.gates)


def _holds(variant: Variant, *gates: str) -> bool:
    return all(gate.state == "held" for gate in variant.gates if gate.name in gates)


def _held(variant: Variant) -> int:
    return sum(gate.state == "held" for gate in variant.gates)


def _told(variant: Variant) -> str:
    state = f"refused ({variant.refused})" if variant.refused else "passes"
    return (
        f"{variant.name}: {variant.size_mb:.1f} MB, p50 {variant.latency.p50_ms:.2f} ms, "
        f"{metric_name(variant.scored.metrics[0], 'en')} {variant.score.value:.4f}, {state}"
    )
