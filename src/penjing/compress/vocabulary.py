"""A smaller vocabulary: the pieces that the texts use, every single character, and the special tokens.

    rows of the embeddings:  V  ->  |special + single characters + {pieces seen at least n times}|

Source: Abdaoui, Pradel, Sigel, Load What You Need: Smaller Versions of Multilingual BERT, 2020. It saves disk space and
loading time, but no time per text: a lookup costs the same in a table of any size. Texts of the training data are
tokenized as before. In a new text a rare word may be split into smaller pieces, down to characters, which are all kept.
When: only the size gate is not held. When not: future texts are of another kind than the given ones.
"""

from __future__ import annotations

from collections import Counter

from pydantic import Field

from penjing.compress.parts.sealing import Compression, complete_folder, seal, torch_parent
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.stop import check_stop
from penjing.core.task import HeadKind
from penjing.model.encoder import fit_vocabulary, load_classifier, save_classifier
from penjing.model.vocabulary import cut_embeddings, cut_tokenizer, single_characters
from penjing.text.tokens import open_tokenizer

_SLICE = 1024
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True


class Options(BaseOptions):
    """The options of `compress.vocabulary`."""

    seen: int = Field(1, ge=1, le=10_000, description="how often a piece must occur in train and unlabelled texts")
    characters: bool = Field(True, description="keep every single character, so that any word can still be written")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent with fewer entries. Raises UsageError for no texts."""
    parent = torch_parent(inputs, "compress.vocabulary")
    texts = [*inputs.train.texts, *inputs.unlabelled]
    if not texts:
        raise UsageError(
            "`compress.vocabulary` needs texts to see which pieces are used", fix="give at least some rows"
        )
    tokenizer, classifier = open_tokenizer(parent.folder), load_classifier(parent)
    fit_vocabulary(classifier.encoder, tokenizer)
    run.progress.start("compress.vocabulary: which pieces are used", len(texts))
    counts: Counter[int] = Counter()
    for first in range(0, len(texts), _SLICE):
        check_stop(run.stop)
        for encoding in tokenizer.encode_batch(texts[first : first + _SLICE], add_special_tokens=False):
            counts.update(encoding.ids)
        run.progress.advance(len(texts[first : first + _SLICE]))
    keep = {place for place, count in counts.items() if count >= options.seen}
    if options.characters:
        keep |= single_characters(tokenizer)
    before = int(classifier.encoder.get_input_embeddings().weight.shape[0])  # type: ignore[operator]
    smaller, order = cut_tokenizer(tokenizer, keep)
    classifier.encoder = cut_embeddings(classifier.encoder, order)
    folder = complete_folder(run.scratch / "model", lambda target: save_classifier(target, classifier, smaller))
    return seal(
        Compression(inputs, options, run, parent, "compress.vocabulary"),
        form="torch",
        folder=folder,
        notes={
            "vocabulary": {"before": before, "after": len(order)},
            "parameters": sum(one.numel() for one in classifier.parameters()),
        },
    )
