"""What many tests need: a small real release, a small encoder in every engine's form, and the command line run here."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from penjing.core.artifact import observed_file, open_release, write_artifact, write_info
from penjing.core.canon import canonical_json
from penjing.core.certificate import MODEL
from penjing.core.folder import sealed_folder
from penjing.core.nouns import Artifact, Card, Inputs, Release, ReleaseInfo, Run, Table
from penjing.data import fold, mask
from penjing.data.mask import VERSION

# A suite that is started in the background or by nohup ignores these, and so would every command that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


if TYPE_CHECKING:
    from penjing.runtime.session import Session

# Functions that a run of the suite measured at two seconds and more (tests/measured_times.py).
SLOW_TESTS = frozenset(Path(__file__).with_name("slow_tests.txt").read_text(encoding="utf-8").split())
# What commands say is compared in English, whatever this machine speaks and the texts are in.
os.environ["PENJING_LANG"] = "en"
# An example of a property may take long on a busy machine; tests of time measure the processor.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
# A mask counts, a field decides, a word decides: every way in which a rule can speak.
TINY_RULES = """\
name,label,p,text,pii.mobile,channel,then,why
vip,,,,,vip,review,a valued customer is answered by a person
phone,,,,1..9,,review,a number stands in the text
lottery,,,contains lottery|彩票,,,outcome spam,lotteries are always spam
"""
BASE_WORDS = tuple(f"{kind}{number}" for kind in ("delivery", "price", "quality", "common") for number in range(10))
FORM_WORDS = (*"房间很干净服务员态度也好下次还会再来住快递太慢了包装破客不推荐", "good", "bad", "slow", "fine", "late")
FORM_TOKENS = 40
_SPAM = ("free prize", "win cash now", "claim your reward", "urgent offer", "免费领奖", "点击链接中奖", "限时优惠")
_HAM = (
    "see you at lunch",
    "call me later",
    "meeting moved to three",
    "thanks mum",
    "晚上一起吃饭",
    "明天开会",
    "收到谢谢",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is measured as slow waits for `make test-slow`."""
    for item in items:
        if item.nodeid.partition("[")[0] in SLOW_TESTS:
            item.add_marker(pytest.mark.whole)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder: a BERT of 2 layers x 32 with a word tokenizer, the same weights in every run."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny-base")
    vocabulary = {token: index for index, token in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *BASE_WORDS))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = BertModel(config, add_pooling_layer=False)
    model.save_pretrained(folder)
    return folder


def tiny_texts(count: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """`count` short messages, Chinese and English, with their labels."""
    drawn = random.Random(seed)
    labels = [("ham", "spam")[number % 2] for number in range(count)]
    texts = [
        f"{drawn.choice(_SPAM if label == 'spam' else _HAM)} {drawn.choice(_HAM + _SPAM)} {drawn.randrange(1000)}"
        for label in labels
    ]
    return texts, labels


def make_tiny_release(
    folder: Path,
    *,
    threshold: float = 0.6,
    texts: str = "masked",
    audit: float = 0.0,
    artifact: Artifact | None = None,
) -> Release:
    """A release with a linear model of two labels, three rules and two fields; real, and made in a second.

    artifact: another model of the labels ham and spam.
    """
    from penjing.decide.policy import PolicySpec
    from penjing.runtime.open import open_session
    from penjing.runtime.selfcheck import make_selfcheck
    from penjing.tune import linear

    train = Table(*tiny_texts(160), rows=range(2, 162))
    validation = Table(*tiny_texts(40, seed=1), rows=range(162, 202))
    run = Run(out=folder / "linear", scratch=folder / "scratch", threads=1)
    artifact = artifact or linear.apply(Inputs(None, train, validation, language="mixed"), linear.Options(), run)
    session = open_session(artifact, threads=1)
    labels, fields = artifact.card.labels, {"channel": ("web", "app", "vip"), "amount": "float"}
    policy = PolicySpec(
        format=2,
        masking=artifact.card.masking,
        folding=fold.VERSION,
        labels=labels,
        thresholds=dict.fromkeys(labels, threshold),
        audit=audit,
        tolerance=0.0001,
        fields=fields,
        texts=texts,  # type: ignore[arg-type]
    )
    gates = [{"name": "keep", "promised": 0.98, "state": "held"}]
    timed = [{"name": "p99_ms", "promised": 20.0, "state": "unproven"}]
    with sealed_folder(folder / "release") as inside:
        shutil.copytree(artifact.folder, inside / MODEL)
        (inside / "policy").mkdir()
        (inside / "policy" / "policy.json").write_bytes(canonical_json(policy.model_dump(mode="json")))
        (inside / "policy" / "rules.csv").write_text(TINY_RULES, encoding="utf-8")
        (inside / "certificate.json").write_bytes(canonical_json({"certified": True, "max_error": 0.1, "gates": gates}))
        suite = [{"text": text, "label": label} for text, label in zip(*tiny_texts(20, seed=2), strict=True)]
        (inside / "regression.jsonl").write_bytes(b"".join(canonical_json(case) + b"\n" for case in suite))
        (inside / "selfcheck.json").write_bytes(canonical_json(make_selfcheck(session)))
        info = ReleaseInfo(
            name="tiny",
            language="mixed",
            labels=labels,
            fields=fields,
            masking=artifact.card.masking,
            texts=texts,  # type: ignore[arg-type]
            artifact=artifact.id,
            tolerance=0.0001,
            fingerprint=session.fingerprint(),
        )
        write_info(inside, info)
    release = open_release(folder / "release")
    # As earlier versions had it: promises sealed in the certificate, and all of them among the observations.
    observed = {"gates": [*gates, *timed], "release": release.id}
    observed_file(release.folder).write_bytes(canonical_json(observed))
    return release


@pytest.fixture(scope="session")
def tiny_release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """A small real release that no test may change."""
    return make_tiny_release(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_release_maker() -> Callable[..., Release]:
    """`make_tiny_release`, for a test that wants another threshold, or no texts."""
    return make_tiny_release


def _form_base(folder: Path) -> Path:
    import torch
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Sequence, Split, WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    known = {token: index for index, token in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *FORM_WORDS))}
    tokenizer = Tokenizer(WordLevel(known, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Sequence([WhitespaceSplit(), Split(Regex("[一-鿿]"), "isolated")])
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", known["[CLS]"]), ("[SEP]", known["[SEP]"])]
    )
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(known), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=FORM_TOKENS, pad_token_id=0,
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
    from penjing.text.tokens import open_tokenizer

    folder = tmp_path_factory.mktemp("tuned")
    base = open_base(str(_form_base(folder / "base")), folder)
    tokenizer = open_tokenizer(base.folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        classifier = Classifier(load_encoder(base), 2)
        # Random states differ little between texts: a strong head makes every difference seen.
        classifier.head.weight.data *= 20
    fit_vocabulary(classifier.encoder, tokenizer)
    card = Card(
        form="torch",
        method="tune.full",
        labels=("bad", "good"),
        max_tokens=FORM_TOKENS,
        masking=VERSION,
        temperature=1.7,
    )
    return write_artifact(folder / "torch", card, lambda inside: save_classifier(inside, classifier, tokenizer))


@pytest.fixture(scope="session")
def artifacts(torch_artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    """The same model as torch, onnx and openvino."""
    import shutil

    from penjing.engines.export import export_onnx, to_openvino
    from penjing.model.encoder import load_classifier

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

    from penjing.runtime.open import open_session

    def run(form: str, **options: str) -> Session:
        return open_session(artifacts[form], threads=1, **options)  # type: ignore[arg-type]

    return run


@contextmanager
def few_calls() -> Iterator[None]:
    """A few calls a window instead of hundreds, for tests of what `make` does and not of how fast it is."""
    from penjing.measure import latency

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latency, "_window", lambda *_, **__: 4)
        patch.setattr(latency, "_FEW", 4)
        yield


@pytest.fixture
def short_times() -> Iterator[None]:
    """`few_calls` for one test."""
    with few_calls():
        yield


@pytest.fixture(scope="module")
def short_times_here() -> Iterator[None]:
    """`few_calls` for the tests of one file and what they share."""
    with few_calls():
        yield


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def penjing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Ran]:
    """Run `penjing ARGUMENTS` in this process and in a fresh folder; returns exit code, stdout and stderr."""
    from penjing.cli.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PENJING_DB", raising=False)

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["penjing", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Ran(int(ended.value.code or 0), told.out, told.err)

    return run


@pytest.fixture
def maskings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is masked from now on, by masking objects that are opened from now on."""
    seen: list[str] = []

    def counting(known: mask.Masking) -> mask.Masking:
        def run(text: str) -> mask.Masked:
            seen.append(text)
            return known.run(text)

        return replace(known, run=run)

    monkeypatch.setattr(mask, "_TABLE", {name: counting(mask.open_masking(name)) for name in mask.VERSIONS})
    return seen
