"""A Hugging Face encoder with the heads of a task; read from disk and written back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import nn

from penjing.core.errors import DamageError, UsageError
from penjing.core.nouns import Artifact
from penjing.core.task import Head
from penjing.model.heads import build_heads, load_heads, read_out, save_heads
from penjing.model.inserted import inserted_in, put_in
from penjing.model.prompt import prompt_length, run_encoder
from penjing.model.weights import read_weights
from penjing.text.tokens import TOKENIZER

ENCODER, HEAD = "encoder", "head.safetensors"
# Key in config.json: attention heads of each layer, if some were removed; an original encoder has no such key.
HEADS = "penjing_heads"
# These count positions from the padding id on, so that their first position embeddings are never used.
OFFSET_FAMILIES = ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "xmod", "data2vec-text")


class Classifier(nn.Module):
    """An encoder with heads (model/heads); of one pooled head, logits = W mean(hidden states of the tokens) + b.

    Mean pooling is how sentence encoders of the E5 kind were trained (Reimers and Gurevych, Sentence-BERT, 2019),
    and for BERT-like bases it is as good as the first token's state. There is dropout before W while training.
    """

    def __init__(self, encoder: nn.Module, heads: Mapping[str, Head] | int, dropout: float = 0.1) -> None:
        """heads: as the task has them, or the size of one pooled head."""
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = build_heads(heads, int(encoder.config.hidden_size))  # type: ignore[union-attr, arg-type]

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor | dict[str, torch.Tensor]:
        """The output of each head by name, float32, for ids and mask (batch, tokens) int64; of one only its output."""
        hidden = run_encoder(self.encoder, input_ids, attention_mask)
        return read_out(self.head, self.dropout, hidden, attention_mask)


def load_encoder(base: Artifact) -> nn.Module:
    """The encoder of a base or of a tuned torch artifact: float32, sdpa attention, evaluation mode, no pooler.

    Raises UsageError for a model that is no encoder known to transformers, DamageError for weights that do not fit.
    """
    from transformers import MODEL_FOR_MASKED_LM_MAPPING, MODEL_MAPPING, AutoConfig

    folder = encoder_folder(base)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
    except (ValueError, KeyError) as error:
        raise UsageError(f"config.json cannot be used: {error}", where=str(folder), fix=_FIX_FAMILY) from None
    if type(config) not in MODEL_FOR_MASKED_LM_MAPPING or config.is_encoder_decoder:
        raise UsageError(f"a model of type `{config.model_type}` is not an encoder", where=str(folder), fix=_FIX_FAMILY)
    weights = read_weights(folder / "model.safetensors")
    with quiet_transformers():
        if getattr(config, HEADS, None) or inserted_in(config):
            encoder, wrong = _changed(MODEL_MAPPING[type(config)], config, weights)
        else:
            encoder, info = MODEL_MAPPING[type(config)].from_pretrained(
                None,
                config=config,
                state_dict=weights,
                dtype=torch.float32,
                attn_implementation="sdpa",
                # They are listed in `info` then, and refused below with our own message.
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
            wrong = sorted(name for name in info["missing_keys"] if not name.startswith("pooler."))
            wrong = wrong or sorted(str(key) for key in info["mismatched_keys"]) or info["error_msgs"]
    if wrong:
        raise DamageError(
            f"model.safetensors does not fit config.json, first: {wrong[0]}",
            where=str(folder),
            fix="copy the base again; config.json and model.safetensors must be of one model",
        )
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    encoder.config.dtype = torch.float32
    return encoder.eval()  # type: ignore[no-any-return]


def _changed(kind: Any, config: Any, weights: dict[str, torch.Tensor]) -> tuple[Any, list[str]]:
    """An encoder with what was put into it, its attention matrices as large as the stored ones, and what does not fit.

    A configuration that asks for what this encoder cannot have does not fit either.
    """
    encoder = kind._from_config(config, attn_implementation="sdpa", dtype=torch.float32)
    try:
        put_in(encoder)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return encoder, [f"{', '.join(inserted_in(config))} ({error})"]
    fewer = getattr(config, HEADS, None)
    for name, parameter in list(encoder.named_parameters()):
        stored = weights.get(name)
        if stored is not None and fewer and ".attention." in name and stored.shape != parameter.shape:
            path, _, last = name.rpartition(".")
            matrix = encoder.get_submodule(path)
            setattr(matrix, last, nn.Parameter(torch.empty_like(stored)))
            if last == "weight":
                matrix.out_features, matrix.in_features = stored.shape
    try:
        missing = encoder.load_state_dict(weights, strict=False).missing_keys
    except RuntimeError as error:
        return encoder, [str(error).splitlines()[-1].strip()]
    return encoder, sorted(name for name in missing if not name.startswith("pooler."))


def fit_vocabulary(encoder: nn.Module, tokenizer: Tokenizer) -> None:
    """Give the encoder one embedding for each token; a new one gets the mean of the old embeddings.

    Raises UsageError if the tokenizer without its mask placeholders is already too large for the encoder, or far too
    small.
    """
    from penjing.data.mask import PLACEHOLDERS

    table = encoder.get_input_embeddings().weight  # type: ignore[operator]
    rows, width = table.shape
    places = [tokenizer.token_to_id(token) for token in PLACEHOLDERS.values()]
    new = [place for place in places if place is not None and place >= rows]
    wanted = tokenizer.get_vocab_size(with_added_tokens=True)
    if not can_be_one_model(wanted - len(new), rows):
        raise UsageError(
            f"the tokenizer has {wanted - len(new)} tokens and the encoder embeds {rows}",
            fix="give a base whose tokenizer.json and model.safetensors are of one model",
        )
    if not new:
        return
    mean = table.detach().double().mean(dim=0).float()
    encoder.resize_token_embeddings(wanted, mean_resizing=False)  # type: ignore[operator]
    with torch.no_grad():
        encoder.get_input_embeddings().weight[rows:] = mean.expand(wanted - rows, width)  # type: ignore[operator]


def can_be_one_model(tokens: int, rows: int, added: int = 0) -> bool:
    """Whether a tokenizer and a table of embeddings can be of one model.

    Each token has a row, but for those that were added: `added` at most. At least half of the rows have a token.
    """
    return tokens - added <= rows <= 2 * tokens


def padding_id(encoder: nn.Module) -> int:
    """The token id that pads a batch."""
    return int(encoder.config.pad_token_id or 0)  # type: ignore[union-attr, arg-type]


def longest_input(encoder: nn.Module) -> int:
    """The most tokens of a text that the encoder's position embeddings reach, special tokens included."""
    return longest_of(encoder.config)


def longest_of(config: Any) -> int:
    """As `longest_input`, of a network with that configuration."""
    return _positions(config) - prompt_length(config)


def _positions(config: Any) -> int:
    positions = int(getattr(config, "max_position_embeddings", 512))
    return positions - int(config.pad_token_id) - 1 if str(config.model_type) in OFFSET_FAMILIES else positions


def encoder_folder(artifact: Artifact) -> Path:
    """The folder of an artifact's encoder: `encoder/`, or for a base the folder itself."""
    inner = artifact.folder / ENCODER
    return inner if inner.is_dir() else artifact.folder


def load_classifier(artifact: Artifact) -> Classifier:
    """The classifier of a tuned torch artifact, in evaluation mode. Raises UsageError for another form."""
    path = artifact.folder / HEAD
    if artifact.card.form != "torch" or not path.is_file():
        raise UsageError(
            f"an artifact of form `{artifact.card.form}` by `{artifact.card.method}` has no torch classifier",
            where=str(artifact.folder),
            fix="put `tune.full` before this step",
        )
    classifier = Classifier(load_encoder(artifact), 1)
    classifier.head = load_heads(path)
    return classifier.eval()


def save_classifier(folder: Path, classifier: Classifier, tokenizer: Tokenizer) -> None:
    """Write encoder, head and tokenizer into the folder of an artifact that is being made."""
    inner = folder / ENCODER
    inner.mkdir()
    encoder = classifier.encoder
    weights = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in encoder.state_dict().items()}
    save_file(weights, inner / "model.safetensors", metadata={"format": "pt"})
    config = encoder.config.to_dict()  # type: ignore[union-attr, operator]
    config |= {"architectures": [type(encoder).__name__], "dtype": "float32"}
    config.pop("_name_or_path", None)
    (inner / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    save_heads(folder / HEAD, classifier.head)
    (folder / TOKENIZER).write_text(tokenizer.to_str(pretty=False), encoding="utf-8")


_FIX_FAMILY = "give an encoder such as BERT, RoBERTa, ELECTRA or DistilBERT, or `penjing/mini`"


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Turn off progress bars, load reports and advice: a missing pooler is expected, any other fault is raised."""
    from transformers.utils import logging

    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
