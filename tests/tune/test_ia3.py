"""IA3: merged outputs are those of the scales, and each scale is where the paper has it."""

from __future__ import annotations

from pathlib import Path

import torch
from tests.tune.test_full import base_folder, inputs  # noqa: F401 - fixtures

from penjing.core.nouns import Inputs, Run
from penjing.model.encoder import Classifier
from penjing.model.layers import heads_of, layers_of, neurons_of
from penjing.tune.ia3 import Options, _merge, _prepare
from penjing.tune.job import prepare_job, whole_model
from penjing.tune.trained import learned_names


def test_merged_outputs_are_those_of_the_scales(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    job = prepare_job("tune.ia3", inputs, Options(max_tokens=16, layers="all"), run)
    classifier, _ = whole_model(job)
    assert isinstance(classifier, Classifier)
    plain = {name: one.clone() for name, one in classifier.encoder.state_dict().items()}
    ids = torch.randint(5, 40, (6, 12), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    classifier.eval()
    with torch.no_grad():
        first = classifier(ids, mask)
        _prepare(classifier, job)
        assert torch.allclose(classifier(ids, mask), first, atol=1e-6), "it begins as the base"
        names = learned_names(classifier.encoder)
        assert len(names) == 3 * len(layers_of(classifier.encoder)) and all("ia3_l" in name for name in names)
        draw = torch.Generator().manual_seed(3)
        for name, parameter in classifier.encoder.named_parameters():
            if name in names:
                parameter.add_(torch.randn(parameter.shape, generator=draw) * 0.3)
        before = classifier(ids, mask)
        scale = classifier.encoder.encoder.layer[0].output.dense.ia3_l["default"].flatten().clone()  # type: ignore[union-attr, index]
        _merge(classifier, job)
        after = classifier(ids, mask)
    assert float((before - after).abs().max()) < 1e-5 < float((before - first).abs().max())
    tuned = classifier.encoder.state_dict()
    assert tuned.keys() == plain.keys()
    out = "encoder.layer.0.output.dense.weight"
    assert torch.allclose(tuned[out], plain[out] * scale[None, :]), "the neurons are scaled, not the output"
    layer = layers_of(classifier.encoder)[0]
    scaled = {id(matrix) for matrix in [*heads_of(layer)[1][1:], neurons_of(layer)[1]]}
    for name, module in classifier.encoder.named_modules():
        if id(module) in scaled:
            assert not torch.equal(tuned[f"{name}.weight"], plain[f"{name}.weight"])
