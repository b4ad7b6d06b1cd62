"""Translates texts by a local encoder-decoder, greedily: token t+1 = argmax p(token | text, tokens to t).

Of one direction, as the models of Opus-MT are (Tiedemann, Thottingal, OPUS-MT, 2020); a model of many languages gives
the language that its generation_config.json names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from penjing.core.errors import DamageError, MissingPackageError
from penjing.core.model_folder import ModelFolder
from penjing.core.nouns import Run
from penjing.model.encoder import quiet_transformers
from penjing.train.numerics import repeatable

Translator = Callable[[Sequence[str]], list[str]]
BATCH = 16
_LONGEST = 256  # tokens of a text and of its translation; what is behind them is cut off


def open_translator(named: ModelFolder, run: Run) -> Translator:
    """From texts to their translations, in batches as they are given. The same texts give the same translations.

    Raises MissingPackageError without the package of its tokenizer, DamageError for files that cannot be read.
    """
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    folder = str(named.folder)
    try:
        with quiet_transformers():
            tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model: Any = AutoModelForSeq2SeqLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    except ImportError as error:
        name = error.name or "sentencepiece"
        what = f"the tokenizer of this translator needs {name}"
        raise MissingPackageError(what, where=folder, fix="pip install sentencepiece sacremoses") from None
    # Files that are not ours fail in many ways.
    except Exception as error:
        what = f"the translator cannot be opened: {type(error).__name__}: {str(error)[:200]}"
        raise DamageError(what, where=folder, fix="copy its folder again") from error
    model = model.eval().to(run.device)

    def translate(texts: Sequence[str]) -> list[str]:
        given = tokenizer(list(texts), padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt")
        inputs = {name: given[name].to(run.device) for name in ("input_ids", "attention_mask")}
        with torch.inference_mode(), repeatable(run.seed, run.threads, run.device):
            made = model.generate(**inputs, do_sample=False, num_beams=1, max_new_tokens=_LONGEST)
        return [text.strip() for text in tokenizer.batch_decode(made, skip_special_tokens=True)]

    return translate
