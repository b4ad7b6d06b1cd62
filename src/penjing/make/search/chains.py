"""The forms that a search tries: chains of steps after the tuned model, and the same with other or further steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from penjing.core.methods import Step
from penjing.make.plan import single_step
from penjing.make.search.heal import METHOD

BRANCH = "compress.ngrams"
# Agreement of the first stage's answers with the teacher, strictest first. The size is the same for all, so the first
# one that is fast enough is used: validation rows are too few to measure the score that a lower agreement costs.
AGREEMENTS = (0.998, 0.995, 0.99, 0.98, 0.97)


@dataclass(frozen=True)
class Chain:
    """Steps after the teacher that end in a form that can be sealed; layers: layers left (0: no transformer)."""

    title: str
    layers: int
    steps: tuple[Step, ...]

    @property
    def form(self) -> tuple[str, object]:
        """The kind of form that the last step makes; forms of one kind differ only in depth."""
        last = self.steps[-1]
        return last.name, getattr(last.options, "engine", None)


def chains(layers: int, both: bool = False) -> Iterator[Chain]:
    """All chains for a teacher with that many layers: the chain without layers, then the others, largest first.

    both: add INT8 on ONNX Runtime.
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


def healed_by(chain: Chain, options: dict[str, object], number: int) -> Chain:
    """The chain with other healing options."""
    steps = [single_step(METHOD, options) if one.name == METHOD else one for one in chain.steps]
    return Chain(f"{chain.title}, healing {number}", chain.layers, tuple(steps))


def with_small_embeddings(chain: Chain) -> Chain:
    """The chain with the embedding table in four bits, before INT8."""
    small = single_step("compress.embeddings", {"bits": 4}), single_step("compress.int8", {"engine": "onnx"})
    place = [step.name for step in chain.steps].index("compress.int8")
    steps = (*chain.steps[:place], *small, *chain.steps[place + 1 :])
    return Chain(f"{chain.title}, embeddings in 4 bits", chain.layers, steps)


def beside_ngrams(chain: Chain) -> Chain:
    """The chain with an n-gram branch beside its encoder."""
    return Chain(f"{chain.title}, with n-grams", chain.layers, (*chain.steps, single_step(BRANCH)))


def behind_static(chain: Chain, agreement: float) -> Chain:
    """The chain as the second stage of a cascade with that agreement with the teacher."""
    cascade = single_step("compress.cascade", {"agreement": agreement})
    title = f"static, then {chain.title} ({100 * agreement:g}% agreement)"
    return Chain(title, chain.layers, (*chain.steps, cascade))
