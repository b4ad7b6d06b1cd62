"""Gold of the task `answer`: every place of the passage that answers the question, as JSON; `[]` if none does.

    [{"start": 0, "end": 3, "label": "answer"}]        places in characters, the end is the place after the last one

The first place is the one that was given; after it stand the others, then all other places with the words of one of
them. Signs of sentences and pairs of quotes or brackets around an answer belong to none, as in the scores of SQuAD and
CMRC, which compare words without signs. Sources: Rajpurkar and others, SQuAD, 2016; Cui and others, A Span-Extraction
Dataset for Chinese Machine Reading Comprehension, 2019.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from penjing.core.errors import DataError, RequestError, shown
from penjing.core.json_signs import ODD_BRACKETS, is_list_in_odd_signs, with_odd_sign
from penjing.core.pair import split_texts
from penjing.core.task import MaskedText, TextPiece
from penjing.tasks.tag_spans import each_key_once

ANSWER = "answer"
MOST_PLACES = 100
_FORM = 'write the words of the answer as the text has them, or [{"start": 0, "end": 3}], and [] for no answer'
_EDGES = " \t\n\r\u3000，。、；：？！,.;:!?…"
_AROUND = {"“": "”", "‘": "’", '"': '"', "'": "'", "「": "」", "『": "』", "《": "》", "〈": "〉", "（": "）", "(": ")",
           "【": "】", "[": "]"}  # fmt: skip


def read_answers(cell: str, masked: MaskedText | None = None) -> list[TextPiece]:
    """The places of a cell: a JSON list of them, or the words of the answer, for which the masked text is needed.

    masked: the user's passage; its places are moved to the masked one, and all places of the same words are added.
    Raises DataError for words that are not in the passage, and for places that are beyond it.
    """
    if not cell.lstrip().startswith("["):
        if masked is None or is_list_in_odd_signs(cell):
            raise _no_list(cell)
        return _every_place([_found(cell.strip(), _passage(masked))], _passage(masked))
    try:
        value = json.loads(cell, object_pairs_hook=each_key_once)
    except (ValueError, RecursionError):
        raise _no_list(cell) from None
    if len(value) > MOST_PLACES:
        raise DataError(f"a question with {len(value):,} answers", fix=f"a question has at most {MOST_PLACES} places")
    given = [_place(one) for one in value]
    if masked is None:
        return [(start, end, ANSWER) for start, end in given]
    return _every_place([_moved(start, end, masked) for start, end in given], _passage(masked))


def _no_list(cell: str) -> DataError:
    return DataError(with_odd_sign(f"`{shown(cell.strip(), 40)}` is no JSON list of places", cell), fix=_FORM)


def write_answers(places: Sequence[TextPiece]) -> str:
    """The canonical form of gold and outcomes; the order of the places is kept."""
    listed = [{"start": start, "end": end, "label": label} for start, end, label in dict.fromkeys(places)]
    return json.dumps(listed, ensure_ascii=False, separators=(",", ":"))


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A piece without the signs around it; as it is where nothing else is left."""
    first, last = start, end
    while first < last:
        if text[first] in _EDGES:
            first += 1
        elif text[last - 1] in _EDGES:
            last -= 1
        elif last - first > 2 and _AROUND.get(text[first]) == text[last - 1] and _is_one(text[first:last]):
            first, last = first + 1, last - 1
        else:
            return first, last
    return start, end


def _is_one(piece: str) -> bool:
    """Whether the signs at both ends are a pair: `《A》和《B》` has two."""
    return piece[0] not in piece[1:-1] and piece[-1] not in piece[1:-1]


def _passage(masked: MaskedText) -> str:
    return split_texts(masked.text)[0]


def _place(value: Any) -> tuple[int, int]:
    """The two places of an answer; a label beside them may say anything."""
    if not isinstance(value, dict) or not {"start", "end"} <= set(value) <= {"start", "end", "label"}:
        written = shown(json.dumps(value, ensure_ascii=False), 60)
        raise DataError(f"the answer {written} has not the keys `start` and `end` alone", fix=_FORM)
    start, end = value["start"], value["end"]
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        places = shown(json.dumps([start, end], ensure_ascii=False), 60)
        fix = "count characters from 0; the end is the place after the last one"
        raise DataError(f"the places {places} of an answer are not two whole numbers, the first one smaller", fix=fix)
    return start, end


def _moved(start: int, end: int, masked: MaskedText) -> tuple[int, int]:
    try:
        found = masked.offsets.to_masked(start, end)
    except RequestError as error:
        raise DataError(f"the answer: {error.what}", fix=error.fix) from None
    if found[1] > len(_passage(masked)):
        raise DataError(
            f"the answer {start}..{end} is not within the text",
            fix="count characters from 0 in the text, not in the question; the end is the place after the last one",
        )
    return found


def _found(words: str, passage: str) -> tuple[int, int]:
    """The first place of the words of an answer, in the passage as it is masked."""
    start = passage.find(words)
    if start < 0:
        what = f"the answer `{shown(words, 40)}` is not in the text"
        raise DataError(with_odd_sign(what, words) if words.startswith(ODD_BRACKETS) else what, fix=_FORM)
    return start, start + len(words)


def _every_place(given: Sequence[tuple[int, int]], passage: str) -> list[TextPiece]:
    own = [(*trimmed(passage, start, end), ANSWER) for start, end in given]
    more = [place for start, end, _ in own for place in _same_words(passage, passage[start:end])]
    return list(dict.fromkeys([*own, *more]))[:MOST_PLACES]


def _same_words(passage: str, words: str) -> Iterator[TextPiece]:
    """The places of these words that are not inside a longer word or number."""
    start = passage.find(words) if words else -1
    while start >= 0:
        end = start + len(words)
        before, after = passage[start - 1 : start], passage[end : end + 1]
        if not (_joins(before, words[0]) or _joins(words[-1], after)):
            yield start, end, ANSWER
        start = passage.find(words, start + 1)


def _joins(left: str, right: str) -> bool:
    """Whether two characters are of one word or number: Chinese ones stand alone."""
    return (
        bool(left and right)
        and all(one.isalnum() and one < "\u3040" for one in (left, right))
        and (left.isdigit() == right.isdigit())
    )
