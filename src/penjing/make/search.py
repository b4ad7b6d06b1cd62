"""The search for the smallest model that keeps every promise on this machine: chains of compressions, tried in turn.

First comes the model without any layer, the smallest of all. A form that cannot be smaller than what holds every
promise already (the linear model among it) is not made (`make/bound.py`). The teacher's layers are halved until one is
left; each depth is healed by the teacher and measured in float32 and in
INT8, on the engine that is the faster one on this kind of processor and, in INT8, where the recipe leaves it open, on
ONNX Runtime too (its scales follow each text, and it minds it less that every text has another length). Unless the
model without layers holds every promise, two more are tried: the smallest INT8 form that holds
them, but for its size, with its embeddings in four bits; and a cascade, the model without layers first, for the rest
the smallest form that keeps every promise but those on time, healed for it if need be, the deeper where the flatter
does not keep the score, and for as many texts as the promised times allow. Where a depth in float32 has broken `keep`
on validation, no smaller one is tried. Time does not hang on what the weights are: where a form was too slow, the
next depth is timed before it is healed, and healed only if it is fast enough, or if the cascade needs it, in which it
is timed before it is healed too; where the healed one is too slow after all, a flatter one is healed.
Every step is cached, and every time that was taken until the run ends: a kill loses what was under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from penjing.core.nouns import Artifact, Progress
from penjing.make.bound import least_mb
from penjing.make.cache import Done
from penjing.make.gates import TIMES
from penjing.make.heal import METHOD, Healing
from penjing.make.plan import Step, single_step
from penjing.make.report import Note
from penjing.make.variants import Choice, Variant
from penjing.make.verdict import note_of

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
class Tried:
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


def search(
    teacher: Artifact,
    every: Sequence[Chain],
    step: Callable[[Step, Artifact], Done],
    judge: Callable[[str, Artifact], Variant],
    race: Callable[[Sequence[Variant]], Variant],
    progress: Progress,
    trials: int = 0,
    seed: int = 0,
    proven: Sequence[Variant] = (),
    skipped: list[Note] | None = None,
) -> list[Tried]:
    """Try the chains in their order; `step` makes (or finds) an artifact, `judge` measures it against the gates.

    race: the fastest of some variants, timed in turn; what `judge` measures minutes apart cannot tell them apart.
    trials: so many other ways of healing, at most, for a student that is not proven to keep the score.
    proven: what was measured before, the linear model; skipped: filled with what was not tried, and why.
    """
    tried: list[Tried] = []
    left = [] if skipped is None else skipped

    def beaten(chain: Chain) -> bool:
        """Whether what holds every promise already is as small as this chain can become."""
        best = smallest_held([*proven, *(each.variant for each in tried)])
        least = least_mb(chain.steps, chain.layers, teacher)
        if best is None or least < best.size_mb:
            return False
        left.append(
            note_of("skipped_size", title=chain.title, least=f"{least:.1f}", best=best.name, size=f"{best.size_mb:.1f}")
        )
        progress.say(left[-1].text)
        return True

    def attempt(chain: Chain, before: Sequence[Done]) -> None:
        done = list(before)
        for one in chain.steps[len(done) :]:
            done.append(step(one, done[-1].artifact if done else teacher))
        variant = judge(chain.title, done[-1].artifact)
        tried.append(Tried(chain, tuple(done), variant))
        best = smallest_held([*proven, *(each.variant for each in tried)])
        progress.say(f"{_told(variant)}; best so far: {best.name if best else 'none'}")

    def unhealed(chain: Chain) -> Variant:
        first = step(chain.steps[0], teacher)
        return judge(f"{chain.title}, not healed", step(chain.steps[-1], first.artifact).artifact)

    too_few = 0
    slow: dict[tuple[str, object], bool] = {}
    waiting: list[tuple[Chain, Variant]] = []
    for number, chain in enumerate(every, start=1):
        if 0 < chain.layers <= too_few:
            left.append(note_of("skipped_layers", title=chain.title, layers=str(too_few + 1)))
            progress.say(left[-1].text)
            continue
        if beaten(chain):
            continue
        progress.say(f"search: {chain.title} ({number} of {len(every) + 1})")
        if chain.layers and slow.get(chain.form):
            timed = unhealed(chain)
            if _broke(timed, *TIMES):
                progress.say(f"{chain.title}: not healed, p50 {timed.latency.p50_ms:.2f} ms is too slow as it is")
                waiting.append((chain, timed))
                continue
        attempt(chain, ())
        slow[chain.form] = _broke(tried[-1].variant, *TIMES)
        if _broke(tried[-1].variant, "keep") and chain.form[0] == "compress.export":
            too_few = chain.layers
    if smallest_held([each.variant for each in tried if not each.chain.layers]):
        return tried
    judged: dict[str, bool] = {}

    def in_time(chain: Chain, timed: Variant) -> bool:
        """Whether it is fast enough behind a first stage with the mildest exits of all."""
        if chain.title not in judged:
            last = behind_static(chain, min(AGREEMENTS))
            progress.say(f"search: {last.title}, not healed")
            cascade = step(last.steps[-1], timed.artifact).artifact
            judged[chain.title] = not _broke(judge(f"{last.title}, not healed", cascade), *TIMES)
        return judged[chain.title]

    def heal(slow_forms: Sequence[tuple[Chain, Variant]]) -> Tried:
        chain = worth_healing(slow_forms, in_time, race)
        progress.say(f"search: {chain.title}, for the cascade")
        attempt(chain, ())
        return tried[-1]

    deeper = [each for each in waiting if not beaten(behind_static(each[0], min(AGREEMENTS)))]
    while deeper:
        healed = heal(deeper)
        if not _broke(healed.variant, "keep"):
            break
        deeper = [each for each in deeper if each[0].layers > healed.chain.layers]
    students = [each for each in tried if METHOD in {one.name for one in each.chain.steps}]
    best = max(
        (each for each in students if not _broke(each.variant, "keep")),
        key=lambda each: _keep_bound(each.variant),
        default=None,
    )
    if trials and best is not None and not beaten(best.chain):
        healing, chain = Healing(seed), best.chain
        for number in range(1, trials + 1):
            if _holds(best.variant, "keep"):
                break
            progress.say(f"search: {chain.title}, healed another way ({number} of {trials} at most)")
            attempt(healed_by(chain, healing.ask(), number), ())
            healing.tell(_keep_bound(tried[-1].variant))
            best = max(best, tried[-1], key=lambda each: _keep_bound(each.variant))
    whole = to_shrink(tried)
    if whole is not None:
        chain = with_small_embeddings(whole.chain)
        if not beaten(chain):
            progress.say(f"search: {chain.title}")
            attempt(chain, whole.done[:-1])
    second = second_stage(tried)
    if second is not None and beaten(behind_static(second.chain, min(AGREEMENTS))):
        second = None
    while second is not None:
        for agreement in AGREEMENTS:
            last = behind_static(second.chain, agreement)
            progress.say(f"search: {last.title} ({len(every) + 1} of {len(every) + 1})")
            attempt(last, second.done)
            # A milder one keeps less and is faster.
            if _holds(tried[-1].variant, *SHORTENED) or _broke(tried[-1].variant, "keep"):
                break
        depths = {each.chain.layers for each in tried}
        flatter = [each for each in waiting if each[0].layers < second.chain.layers]
        flatter = [each for each in flatter if each[0].layers not in depths]
        if not flatter or _holds(tried[-1].variant, *TIMES):
            break
        second = heal(flatter)
        if _broke(second.variant, "keep"):
            break
    return tried


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


def to_shrink(tried: Sequence[Tried]) -> Tried | None:
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


def second_stage(tried: Sequence[Tried]) -> Tried | None:
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


def choose_smallest(variants: Sequence[Variant], linear: Variant) -> Choice | None:
    """The smallest variant, the linear model among them, that holds every gate on validation.

    Where none holds them all, of those that no gate refuses the one that holds the most, of several the likeliest to
    keep the score, and of two alike the smaller; None where all are refused.
    """
    every = [*variants, linear]
    best = smallest_held(every)
    if best is not None:
        return Choice(best, False, note_of("why_smallest", forms=str(len(every))))
    passed = [variant for variant in every if not variant.refused]
    if not passed:
        return None
    likeliest = max(passed, key=lambda each: (_held(each), _keep_bound(each), -each.size_mb))
    return Choice(likeliest, False, note_of("why_likeliest", forms=str(len(passed))))


def _keep_bound(variant: Variant) -> float:
    return next((gate.bound for gate in variant.gates if gate.name == "keep"), variant.macro_f1.low)


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
        f"macro-F1 {variant.macro_f1.value:.4f}, {state}"
    )
