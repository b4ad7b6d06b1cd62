"""The forms that a search tries: their titles, steps and kinds."""

from __future__ import annotations

from penjing.make.search.chains import (
    AGREEMENTS,
    behind_static,
    beside_ngrams,
    chains,
    healed_by,
    with_small_embeddings,
)


def names(chain: object) -> list[str]:
    return [step.name for step in chain.steps]  # type: ignore[attr-defined]


def test_depths_are_halved_and_the_whole_depth_is_not_healed() -> None:
    found = list(chains(5))
    assert [one.title for one in found] == [
        "static", "all layers", "all layers, INT8", "2 layers", "2 layers, INT8", "1 layer", "1 layer, INT8",
    ]  # fmt: skip
    assert [one.layers for one in found] == [0, 5, 5, 2, 2, 1, 1]
    assert names(found[2]) == ["compress.int8"]
    assert names(found[4]) == ["compress.layers", "compress.distill", "compress.int8"]
    assert found[4].steps[0].options.keep == 2
    both = {one.title: one for one in chains(5, both=True)}
    assert both["1 layer, INT8 on ONNX Runtime"].form == ("compress.int8", "onnx")
    assert both["1 layer, INT8"].form == both["all layers, INT8"].form != both["1 layer"].form


def test_the_same_chain_with_other_and_further_steps() -> None:
    chain = next(one for one in chains(4) if one.title == "2 layers, INT8")
    healed = healed_by(chain, {"epochs": 7.0}, 3)
    assert healed.title == "2 layers, INT8, healing 3" and healed.steps[1].options.epochs == 7.0
    small = with_small_embeddings(chain)
    assert names(small) == ["compress.layers", "compress.distill", "compress.embeddings", "compress.int8"]
    assert (small.steps[2].options.bits, small.steps[3].options.engine) == (4, "onnx")
    assert names(beside_ngrams(chain)) == [*names(chain), "compress.ngrams"]
    cascade = behind_static(chain, AGREEMENTS[0])
    assert cascade.title == "static, then 2 layers, INT8 (99.8% agreement)" and cascade.layers == 2
    assert cascade.steps[-1].options.agreement == AGREEMENTS[0] == max(AGREEMENTS)
