"""What is put into an encoder is rebuilt from its config.json, and what does not fit is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from penjing.core.errors import DamageError, UsageError
from penjing.core.nouns import Artifact
from penjing.model.base import open_base
from penjing.model.bottleneck import ADAPTERS, put_adapters
from penjing.model.encoder import Classifier, load_encoder, save_classifier
from penjing.model.inserted import check_plain, inserted_in, keep_inserted
from penjing.model.layers import can_be_cut, layers_of
from penjing.model.prefix import PREFIX, put_prefixes
from penjing.model.pretrained import load_network
from penjing.model.prompt import PROMPT, empty_prompt


@pytest.fixture
def base(tiny_base: Path) -> Artifact:
    return open_base(str(tiny_base), tiny_base)


def changed(base: Artifact) -> Classifier:
    """A classifier with all three, of random numbers."""
    encoder = load_encoder(base)
    total = len(layers_of(encoder))
    put_adapters(encoder, {"layers": "encoder.layer", "parts": ["output.dense"], "sizes": [3] * total})
    put_prefixes(encoder, {"layers": "encoder.layer", "counts": [0] * (total - 1) + [2]})
    empty_prompt(encoder, 4)
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            if "adapter" in name or "prefix" in name or "prompt" in name:
                parameter.normal_(generator=draw)
    return Classifier(encoder, 2).eval()


def saved(base: Artifact, folder: Path) -> Artifact:
    folder.mkdir()
    save_classifier(folder, changed(base), Tokenizer.from_file(str(base.folder / "tokenizer.json")))
    return Artifact(folder, "", base.card)


def test_it_is_loaded_as_it_was_saved(base: Artifact, tmp_path: Path) -> None:
    before, artifact = changed(base), saved(base, tmp_path / "a")
    again = load_encoder(artifact)
    assert inserted_in(again.config) == [ADAPTERS, PREFIX, PROMPT]
    assert again.state_dict().keys() == before.encoder.state_dict().keys()
    assert all(torch.equal(again.state_dict()[name], one) for name, one in before.encoder.state_dict().items())
    assert can_be_cut(base) and not can_be_cut(artifact)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (ADAPTERS, {"layers": "encoder.layers", "parts": ["output.dense"], "sizes": [3]}),
        (ADAPTERS, {"parts": ["output.dense"]}),
        (ADAPTERS, {"layers": "encoder.layer", "parts": ["output"], "sizes": [3, 3]}),
        (PREFIX, {"layers": "encoder.layer", "counts": [2] * 9}),
        (PROMPT, "four"),
        (PROMPT, 5),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(base: Artifact, tmp_path: Path, key: str, value: object) -> None:
    artifact = saved(base, tmp_path / "a")
    path = artifact.folder / "encoder" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(config | {key: value}), encoding="utf-8")
    with pytest.raises(DamageError, match=r"model\.safetensors does not fit config\.json"):
        load_encoder(artifact)


def test_fewer_layers_keep_their_own(base: Artifact) -> None:
    encoder = changed(base).encoder
    config = encoder.config
    last = len(layers_of(encoder)) - 1
    keep_inserted(config, [last])
    assert getattr(config, ADAPTERS)["sizes"] == [3]  # type: ignore[arg-type, index]
    assert getattr(config, PREFIX)["counts"] == [2]  # type: ignore[arg-type, index]
    assert getattr(config, PROMPT) == 4  # type: ignore[arg-type]


def test_what_needs_a_plain_encoder_says_so(base: Artifact, tmp_path: Path) -> None:
    check_plain(load_encoder(base), "tune.ia3")
    artifact = saved(base, tmp_path / "a")
    with pytest.raises(UsageError, match=r"`tune\.ia3` starts from a plain encoder, and `tune\.adapter`") as caught:
        check_plain(load_encoder(artifact), "tune.ia3")
    assert caught.value.fix
    with pytest.raises(UsageError, match="`pretrain` starts from a plain encoder"):
        load_network(artifact)
