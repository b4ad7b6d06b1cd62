"""Reads labels as people write them: the same for `make`, `amend`, verdicts, limits and rules.

Two labels are the same where their cleaned texts are, or where both write the same whole number (`1`, `1.0`) or the
same truth value (`true`, `True`). Labels that differ only by width, case, brackets, spaces, dashes, punctuation at the
ends or traditional characters are different; they are read as one where the recipe says so
(`data: {labels: {ＦＡＱ: FAQ}}`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache

from penjing.core.errors import RequestError
from penjing.core.options import nearest
from penjing.core.recipe import Data
from penjing.data.clean import clean
from penjing.data.fold import fold_name

LONGEST_LABEL = 200  # characters
_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_TRUTH = {"true", "false"}
_BRACKETS = str.maketrans("[]{}<>【】〔〕〖〗《》〈〉「」『』", "()()()()()()()()()()")
_DASHES = re.compile("[-_‐-―－—]+")
_ENDS = ".。,，;；:：、!！?？…~～·|"
_PLAIN_YAML = re.compile(r"[^\W\d_][\w-]*")
_NOT_PLAIN = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def read_label(written: str) -> str:
    """A label cleaned like a text. Raises RequestError for characters that no text may have."""
    try:
        return clean(written)
    except RequestError as error:
        raise RequestError(error.what.replace("the text", "the label", 1), fix=error.fix) from None


def read_as(data: Data) -> dict[str, str]:
    """The recipe's `labels:`, cleaned: what is written, and the label that it is read as."""
    pairs = {read_label(written): read_label(label) for written, label in data.labels.items()}
    return {written: label for written, label in pairs.items() if written != label}


def match_label(written: str, known: Collection[str], reads: Mapping[str, str]) -> str | None:
    """The known label that is written, or None. Raises RequestError as `read_label` does."""
    label = read_label(written)
    label = reads.get(label, label)
    if label in known:
        return label
    same = [each for each in known if same_value(each) == same_value(label)]
    return same[0] if len(same) == 1 else None


def nearest_label(written: str, known: Sequence[str]) -> str:
    """What to write instead of an unknown label: the one that looks the same, the nearest, or the list of all."""
    alike = [label for label in known if looks(label) == looks(written)]
    return f"did you mean `{alike[0]}`?" if alike else nearest(written[:LONGEST_LABEL], tuple(known))


def same_value(label: str) -> str:
    """The form that is equal for labels that write the same whole number or the same truth value."""
    if found := _WHOLE.fullmatch(label):
        return found[1]
    return label.casefold() if label.casefold() in _TRUTH else label


def looks(label: str) -> str:
    """The form that is equal for labels that differ by width, case, brackets, spaces and dashes only."""
    return _DASHES.sub("", fold_name(label).translate(_BRACKETS))


def unite(counts: Mapping[str, int], train: Mapping[str, int]) -> dict[str, str]:
    """Labels that write the same value as another one, with this one: the most frequent, in train before all."""
    groups: dict[str, list[str]] = {}
    for label in counts:
        groups.setdefault(same_value(label), []).append(label)
    found: dict[str, str] = {}
    for group in groups.values():
        kept = min(group, key=lambda label: (-train.get(label, 0), -counts[label], label))
        found |= {label: kept for label in sorted(group) if label != kept}
    return found


def nearly(label: str) -> str:
    """The form that is equal for labels that people hardly tell apart.

    As `looks`, and without brackets around the whole, punctuation at its ends, and the difference of traditional and
    simplified characters (where `opencc` is installed). Numbers are equal by their value only: `-1` is not `1`.
    """
    folded = fold_name(label).translate(_BRACKETS)
    bare, before = folded, ""
    while bare != before:
        before, bare = bare, bare.strip(_ENDS)
        if bare[:1] == "(" and bare[-1:] == ")" and "(" not in bare[1:] and ")" not in bare[:-1]:
            bare = bare[1:-1]
    if _NUMBER.fullmatch(bare):
        return f"{float(bare):g}"
    return _simplified(_DASHES.sub("", bare or folded))


@cache
def _converter() -> Callable[[str], str]:
    try:
        from opencc import OpenCC
    except ImportError:
        return str
    found: Callable[[str], str] = OpenCC("t2s").convert
    return found


def _simplified(text: str) -> str:
    return text if text.isascii() else _converter()(text)


def alike(counts: Mapping[str, int]) -> dict[str, str]:
    """Labels that are nearly a more frequent one, with this one: the mapping that would merge them."""
    groups: dict[str, list[str]] = {}
    for label in counts:
        groups.setdefault(nearly(label), []).append(label)
    found: dict[str, str] = {}
    for group in groups.values():
        kept = min(group, key=lambda label: (-counts[label], label))
        found |= {label: kept for label in sorted(group) if label != kept}
    return found


def as_yaml(reads: Mapping[str, str]) -> str:
    """The line of a recipe that merges these labels, to be written under `data:`."""
    return "labels: {" + ", ".join(f"{_word(written)}: {_word(label)}" for written, label in reads.items()) + "}"


def _word(label: str) -> str:
    plain = _PLAIN_YAML.fullmatch(label) and label.lower() not in _NOT_PLAIN
    return label if plain else json.dumps(label, ensure_ascii=False)
