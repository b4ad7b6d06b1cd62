"""Networks that are pre-trained: built from a configuration or read from a base, and written as a Hugging Face folder.

An encoder is stored without a head, as `model/encoder` reads it; a decoder and an encoder-decoder with the head that
writes text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import nn

from penjing.core.errors import DamageError, UsageError
from penjing.core.nouns import Artifact, Family
from penjing.model.base import encoder_folder
from penjing.model.encoder import can_be_one_model, load_encoder, longest_of, quiet_transformers
from penjing.model.inserted import check_plain
from penjing.model.weights import read_weights
from penjing.text.tokens import TOKENIZER

if TYPE_CHECKING:
    from transformers import PretrainedConfig

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def family_of(config: PretrainedConfig) -> Family:
    """Whether a network reads in both directions, writes the next token, or a text from a text. Raises UsageError."""
    from transformers import (
        MODEL_FOR_CAUSAL_LM_MAPPING,
        MODEL_FOR_MASKED_LM_MAPPING,
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING,
    )

    if config.is_encoder_decoder and type(config) in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING:
        return "encoder-decoder"
    if type(config) in MODEL_FOR_MASKED_LM_MAPPING and not getattr(config, "is_decoder", False):
        return "encoder"
    if type(config) in MODEL_FOR_CAUSAL_LM_MAPPING:
        return "decoder"
    raise UsageError(
        f"a model of type `{config.model_type}` cannot be pre-trained here",
        fix="give a BERT, ModernBERT, Llama or T5, or another model of one of their families",
    )


def build_network(config: PretrainedConfig) -> nn.Module:
    """A network with random weights, drawn from torch's present random state, in evaluation mode."""
    kind = _class_of(config)
    with quiet_transformers():
        model = kind._from_config(config, attn_implementation="sdpa", dtype=torch.float32)
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model.eval()  # type: ignore[no-any-return]


def read_network_config(base: Artifact) -> PretrainedConfig:
    """The configuration of the network of a base. Raises UsageError where transformers does not know it."""
    from transformers import AutoConfig

    folder = encoder_folder(base)
    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(folder, local_files_only=True)
    except (ValueError, KeyError) as error:
        raise UsageError(f"config.json cannot be used: {error}", where=str(folder)) from None
    return config


def longest_row(config: PretrainedConfig) -> int | None:
    """The most tokens that a network reads at once, special tokens included; None where there is no limit, as in T5."""
    return longest_of(config) if hasattr(config, "max_position_embeddings") else None


def load_network(base: Artifact) -> nn.Module:
    """The network of a base: float32, sdpa attention, evaluation mode.

    Raises UsageError for a type that is not known, DamageError for weights that do not fit.
    """
    folder, config = encoder_folder(base), read_network_config(base)
    if family_of(config) == "encoder":
        encoder = load_encoder(base)
        check_plain(encoder, "pretrain")
        return encoder
    with quiet_transformers():
        model, info = _class_of(config).from_pretrained(
            None,
            config=config,
            state_dict=read_weights(folder / WEIGHTS),
            dtype=torch.float32,
            attn_implementation="sdpa",
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    tied = set(getattr(model, "all_tied_weights_keys", None) or ())
    wrong = sorted(set(info["missing_keys"]) - tied) or sorted(map(str, info["mismatched_keys"])) or info["error_msgs"]
    if wrong:
        raise DamageError(
            f"model.safetensors does not fit config.json, first: {wrong[0]}",
            where=str(folder),
            fix="copy the base again; config.json and model.safetensors must be of one model",
        )
    model.config.dtype = torch.float32
    return model.eval()  # type: ignore[no-any-return]


def fit_tokens(model: nn.Module, tokenizer: Tokenizer) -> None:
    """Give the network an embedding for each token of the tokenizer; a new one gets the mean of the old ones.

    Raises UsageError where the tokenizer has far more or far fewer tokens: it is that of another model.
    """
    table = model.get_input_embeddings().weight  # type: ignore[operator]
    rows, wanted = len(table), tokenizer.get_vocab_size(with_added_tokens=True)
    added = len(tokenizer.get_added_tokens_decoder())
    if not can_be_one_model(wanted, rows, added):
        raise UsageError(
            f"the tokenizer has {wanted} tokens and the network embeds {rows}",
            fix="give a base whose tokenizer.json and model.safetensors are of one model",
        )
    if wanted <= rows:
        return
    mean = table.detach().double().mean(dim=0).float()
    model.resize_token_embeddings(wanted, mean_resizing=False)  # type: ignore[operator]
    with torch.no_grad():
        model.get_input_embeddings().weight[rows:] = mean  # type: ignore[operator]
        output = model.get_output_embeddings()  # type: ignore[operator]
        if output is not None and output.weight is not model.get_input_embeddings().weight:  # type: ignore[operator]
            output.weight[rows:] = output.weight[:rows].double().mean(dim=0).float()


def save_network(folder: Path, model: nn.Module, tokenizer: Tokenizer) -> None:
    """Write configuration, weights and tokenizer as a Hugging Face folder."""
    config: Any = model.config
    tied = set(getattr(model, "all_tied_weights_keys", None) or ())
    weights = {
        name: tensor.detach().cpu().contiguous().clone()
        for name, tensor in model.state_dict().items()
        if name not in tied
    }
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    stored = config.to_dict() | {"architectures": [type(model).__name__], "dtype": "float32"}
    stored.pop("_name_or_path", None)
    (folder / CONFIG).write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (folder / TOKENIZER).write_text(tokenizer.to_str(pretty=False), encoding="utf-8")


def _class_of(config: PretrainedConfig) -> Any:
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING, MODEL_MAPPING

    family = family_of(config)
    if family == "encoder":
        return MODEL_MAPPING[type(config)]
    return (MODEL_FOR_CAUSAL_LM_MAPPING if family == "decoder" else MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING)[
        type(config)
    ]
