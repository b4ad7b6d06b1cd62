"""What a step names itself is opened before any work, found wrong with its line, and part of what the result is."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penjing.core.artifact import open_artifact
from penjing.core.errors import PenjingError
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.make.check_recipe import check_recipe
from penjing.make.named import open_named
from penjing.make.run import Made, make_release

pytestmark = pytest.mark.usefixtures("short_times")

# Words by which the language of a document is found.
FILLED = " and that was it for the staff of this house."
TUNE = "{tune.full: {epochs: 6, learning_rate: 2.0e-3, layers: all, max_tokens: 24}}"


def text(drawn: random.Random, kind: str) -> str:
    words = [f"{kind}{drawn.randrange(10)}" for _ in range(3)] + [f"common{drawn.randrange(10)}" for _ in range(4)]
    drawn.shuffle(words)
    return " ".join(words)


def write(folder: Path, steps: str, base: Path | str = "base") -> Path:
    drawn = random.Random(0)
    lines = [f"{text(drawn, kind)} {number},{kind}" for number in range(150) for kind in ("delivery", "price")]
    (folder / "rows.csv").write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    path = folder / "recipe.yaml"
    path.write_text(
        f"name: small\nbase: {base}\ndata: {{files: rows.csv}}\nsteps: [{steps}]\n"
        "gates: {keep: 0.5, unproven: allow}\ndecide: {max_error: 0.4}\nchoose: validation\nthreads: 1\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def bases(tiny_base: Path, tmp_path: Path) -> Path:
    """`base`, and `small`, which has one of its layers; the same tokens."""
    from penjing.model.base import open_base
    from penjing.model.encoder import Classifier, load_encoder
    from penjing.model.layers import keep_layers

    (tmp_path / "base").symlink_to(tiny_base)
    whole = Classifier(load_encoder(open_base(str(tiny_base), tmp_path)), 2)
    keep_layers(whole, [0]).encoder.save_pretrained(tmp_path / "small")  # type: ignore[operator]
    (tmp_path / "small" / "tokenizer.json").write_bytes((tiny_base / "tokenizer.json").read_bytes())
    return tmp_path


@pytest.fixture
def corpus(penjing: Callable[..., Any], tmp_path: Path) -> Path:
    drawn = random.Random(1)
    (tmp_path / "texts").mkdir()
    for number in range(30):
        lines = [text(drawn, drawn.choice(["delivery", "price", "quality"])) + FILLED for _ in range(8)]
        (tmp_path / "texts" / f"{number}.txt").write_text(" ".join(lines) + "\n", encoding="utf-8")
    done = penjing("corpus", "build", "texts", "--out", tmp_path / "corpus", "--no-near")
    assert done.code == 0, done.err
    return tmp_path / "corpus"


def refused(path: Path) -> str:
    with pytest.raises(PenjingError) as caught:
        check_recipe(load_recipe(path), Silent()).raise_faults()
    return str(caught.value)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("{compress.student: {base: penjing/smal}}", [":4:", "unknown base `penjing/smal`", "did you mean"]),
        ("{compress.student: {base: nowhere}}", [":4:", "there is no folder of the base `nowhere`"]),
        (
            "{compress.distill: {corpus: nowhere, neighbours: 9}}",
            [":4:", "there is no folder of the corpus `nowhere`", "corpus build"],
        ),
        ("{compress.distill: {corpus: nowhere}}", ["`corpus` is named, and `neighbours` is 0"]),
        ("{compress.student: {base: short}}", [":4:", "at most 16 tokens, and its teacher 24", "`max_tokens: 16`"]),
        ("{compress.student: {base: small}}, {compress.layers: {keep: 1}}", ["this model has 1 layer"]),
        ("{compress.int8: {}}, {compress.student: {base: small}}", ["`compress.student` follows a step that has made"]),
        ("{compress.student: {base: narrow}}, {compress.distill: {hidden: 1}}", ["another width than its teacher's"]),
    ],
)
def test_what_cannot_be_opened_or_does_not_fit_is_found_before_any_work(
    steps: str, words: list[str], bases: Path
) -> None:
    from transformers import BertConfig, BertModel

    for name, changed in (("short", {"max_position_embeddings": 16}), ("narrow", {"hidden_size": 16})):
        config = BertConfig.from_pretrained(bases / "small")
        config.update(changed)
        BertModel(config, add_pooling_layer=False).save_pretrained(bases / name)
        (bases / name / "tokenizer.json").write_bytes((bases / "base" / "tokenizer.json").read_bytes())
    said = refused(write(bases, f"{TUNE}, {steps}"))
    assert all(word in said for word in words), said


def test_translators_are_opened_with_the_step_that_names_them(bases: Path) -> None:
    path = write(bases, "{tune.linear: {augment: {translate: there, translate_back: small}}}")
    assert ":4:" in refused(path) and "`there` is no folder of a model" in refused(path)
    for name in ("there", "small"):
        (bases / name).mkdir(exist_ok=True)
        (bases / name / "config.json").write_text('{"is_encoder_decoder": true}')
    checked = check_recipe(load_recipe(path), Silent())
    assert not checked.faults and len(checked.named[0].translators) == 2
    assert checked.named[0].ids == [one.id for one in checked.named[0].translators]


def test_declared_fields_are_refused_with_the_step(bases: Path) -> None:
    path = write(bases, f"{TUNE}, {{compress.student: {{base: small}}}}")
    written = path.read_text(encoding="utf-8").replace(
        "{files: rows.csv}", "{files: rows.csv, fields: {n: int}, features: [n]}"
    )
    path.write_text(written, encoding="utf-8")
    rows = (bases / "rows.csv").read_text(encoding="utf-8").splitlines()
    more = ["n,text,label", *(f"{number},{row}" for number, row in enumerate(rows[1:]))]
    (bases / "rows.csv").write_text("\n".join(more) + "\n", encoding="utf-8")
    assert "`compress.student` makes a model that reads the text alone" in refused(path)


def test_their_ids_are_those_of_their_content(bases: Path, corpus: Path) -> None:
    path = write(
        bases, f"{TUNE}, {{compress.student: {{base: small}}}}, {{compress.distill: {{corpus: corpus, neighbours: 9}}}}"
    )
    file = load_recipe(path)
    steps = check_recipe(file, Silent()).steps
    (tuned, student, distilled), faults = open_named(file, steps)
    assert not faults and not tuned.ids and len(student.ids) == len(distilled.ids) == 1
    (bases / "small").rename(bases / "elsewhere")
    moved = [steps[0], replace(steps[1], options=steps[1].options.model_copy(update={"base": "elsewhere"})), steps[2]]
    assert [one.ids for one in open_named(file, moved)[0]] == [[], student.ids, distilled.ids]
    (corpus / "samples.json").write_bytes(b"{}")
    _, faults = open_named(file, moved)
    assert len(faults) == 1 and faults[0].exit_code == 5 and ":4:" in (faults[0].where or "")


@pytest.mark.whole
@pytest.mark.usefixtures("corpus")
def test_from_a_large_base_to_a_small_one_the_whole_way(bases: Path) -> None:
    distil = (
        "{epochs: 6, learning_rate: 2.0e-3, loss: centred, pooled: 1, corpus: corpus, neighbours: 60, out_of_fold: 2}"
    )
    steps = f"{TUNE}, {{compress.student: {{base: small}}}}, {{compress.distill: {distil}}}, {{compress.export: {{}}}}"
    path, said = write(bases, steps), Lines()
    made = make_release(path, bases / "out", said)
    assert made.release is not None, made.refused
    assert sum("tune.full without fold" in line for line in said.lines) == 2
    # The words of these rows are easy, so that the linear model is sealed; the student is in the cache.
    (folder,) = (path for path in (bases / "out" / "cache").glob("compress-distill-*") if path.is_dir())
    card = open_artifact(folder).card
    assert card.method == "compress.distill" and card.base == "small"
    origins = card.notes["origins"]
    assert origins["neighbours"] == 60 and origins["train"] > 100 and len(card.notes["corpora"]) == 1
    assert [step["method"] for step in card.lineage] == ["tune.full", "compress.student", "compress.distill"]
    assert card.metrics["validation_accuracy"] > 0.9, card.metrics
    # Everything comes from the cache, to the same id; another base under the same name is another run.
    again = make_release(path, bases / "out", said, again=True)
    assert again.release is not None and again.release.id == made.release.id
    assert all(step.cached for step in again.report.steps)
    assert make_release(path, bases / "out").unchanged
    weights = bases / "small" / "model.safetensors"
    spoil(weights)
    other: Made = make_release(path, bases / "out")
    assert not other.unchanged
    assert [step.cached for step in other.report.steps if step.name in ("tune.full", "compress.student")] == [
        True,
        False,
    ]


class Lines(Silent):
    """A Progress that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def spoil(path: Path) -> None:
    """Change one weight of a file."""
    from safetensors.torch import load_file, save_file

    weights = load_file(path)
    weights[sorted(weights)[0]].view(-1)[0] += 0.5
    save_file(weights, path, metadata={"format": "pt"})
