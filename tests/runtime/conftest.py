"""A tuned encoder of two layers x 32 with random weights, in every engine's form; made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from penjing.core.artifact import write_artifact
from penjing.core.nouns import Artifact, Card
from penjing.data.mask import VERSION
from penjing.runtime.session import Session, open_session

WORDS = (*"房间很干净服务员态度也好下次还会再来住快递太慢了包装破客不推荐", "good", "bad", "slow", "fine", "late")
LIMIT = 40


def _base(folder: Path) -> Path:
    import torch
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Sequence, Split, WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    known = {token: index for index, token in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS))}
    tokenizer = Tokenizer(WordLevel(known, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Sequence([WhitespaceSplit(), Split(Regex("[一-鿿]"), "isolated")])
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", known["[CLS]"]), ("[SEP]", known["[SEP]"])]
    )
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(known), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=LIMIT, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def torch_artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A torch artifact of two labels that takes 40 tokens."""
    import torch

    from penjing.model.base import open_base
    from penjing.model.encoder import Classifier, fit_vocabulary, load_encoder, save_classifier
    from penjing.model.tokens import open_tokenizer

    folder = tmp_path_factory.mktemp("tuned")
    base = open_base(str(_base(folder / "base")), folder)
    tokenizer = open_tokenizer(base.folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        classifier = Classifier(load_encoder(base), labels=2)
        # Random states differ little between texts: a strong head makes every difference seen.
        classifier.head.weight.data *= 20
    fit_vocabulary(classifier.encoder, tokenizer)
    card = Card(
        form="torch", method="tune.full", labels=("bad", "good"), max_tokens=LIMIT, masking=VERSION, temperature=1.7
    )
    return write_artifact(folder / "torch", card, lambda inside: save_classifier(inside, classifier, tokenizer))


@pytest.fixture(scope="session")
def artifacts(torch_artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    """The same model as torch, onnx and openvino."""
    import shutil

    from penjing.model.encoder import load_classifier
    from penjing.runtime.export import export_onnx, to_openvino

    folder = tmp_path_factory.mktemp("forms")
    made = folder / "made"
    made.mkdir()
    path = export_onnx(load_classifier(torch_artifact), made)
    to_openvino(path, made)

    def seal(form: str, names: tuple[str, ...]) -> Artifact:
        def fill(inside: Path) -> None:
            for name in names:
                shutil.copyfile(made / name, inside / name)
            shutil.copyfile(torch_artifact.folder / "tokenizer.json", inside / "tokenizer.json")

        return write_artifact(folder / form, torch_artifact.card.model_copy(update={"form": form}), fill)

    return {
        "torch": torch_artifact,
        "onnx": seal("onnx", ("model.onnx",)),
        "openvino": seal("openvino", ("model.xml", "model.bin")),
    }


@pytest.fixture(scope="session")
def open_form(artifacts: dict[str, Artifact]) -> Callable[..., Session]:
    """`open_form("onnx", long_texts="review")`: a session of that form, in one thread."""

    def run(form: str, **options: str) -> Session:
        return open_session(artifacts[form], threads=1, **options)  # type: ignore[arg-type]

    return run
