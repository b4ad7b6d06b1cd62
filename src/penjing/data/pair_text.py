"""Cases of several texts, cleaned and masked: each text by itself, so that nothing is found across two of them."""

from __future__ import annotations

from penjing.core.errors import RequestError
from penjing.core.pair import SEPARATOR, join_texts, split_texts
from penjing.core.task import PairReader
from penjing.data.clean import clean
from penjing.data.fold import fold
from penjing.data.mask import Masking
from penjing.data.masked import Masked

# Between the folded texts of a key: a letter, because folding drops everything else. No text in use has it.
_BETWEEN = "\ua500"


def prepare_texts(masking: Masking, raw: str, reader: PairReader) -> Masked:
    """The raw texts of a case, as `join_texts` joins them, each cleaned and masked; with the places of the first one.

    Empty if one of the texts is. Raises RequestError for a missing text, for texts that are no case of this task, and
    as `Masking.prepare`.
    """
    given = split_texts(raw)
    if len(given) != 1 + len(reader.further):
        if len(reader.further) == 1:
            what = f"a case here has a second text, `{reader.further[0]}`, and it is missing"
            raise RequestError(what, fix=f"give it as `{reader.further[0]}`")
        listed = "`, `".join(("text", *reader.further))
        raise RequestError(f"a case here is `{listed}`", fix="give each of them, and nothing else")
    parts = [_prepared(masking, part, name) for part, name in zip(given, ("", *reader.further), strict=True)]
    texts = [part.text for part in parts]
    if not all(texts):
        return Masked("", _summed(parts))
    reader.check_texts(texts)
    return _with_places(parts)


def _prepared(masking: Masking, part: str, name: str) -> Masked:
    """A raw text of a case masked; name: "" for the first one. Raises RequestError that says which text it is."""
    try:
        return masking.prepare(part)
    except RequestError as error:
        raise RequestError(f"`{name}`: {error.what}" if name else error.what, fix=error.fix) from None


def empty_text(raw: str, reader: object) -> RequestError:
    """The error for a raw text of which nothing is left, or for a case of which one text is empty: it says which."""
    further = reader.further if isinstance(reader, PairReader) else ()
    first, *others = split_texts(raw)
    empty = [name for name, part in zip(further, others, strict=False) if not clean(part)]
    if empty and clean(first):
        return RequestError(f"`{empty[0]}` is empty", fix=f"give `{empty[0]}` with at least one character")
    return RequestError("the text is empty", fix="send a text with at least one character")


def mask_parts(masking: Masking, text: str) -> Masked:
    """A cleaned text masked; of a case of several each by itself."""
    given = split_texts(text)
    if len(given) == 1:
        return masking(text)
    return _with_places([masking(part) for part in given])


def compared(text: str, *, symmetric: bool) -> str:
    """The texts of a case as duplicates are looked for: a letter between them, in one order if it means nothing."""
    texts = split_texts(text)
    if symmetric and len(texts) == 2:
        texts = tuple(sorted(texts, key=fold))
    return f" {_BETWEEN} ".join(texts)


def parts_of(text: str) -> tuple[str, ...]:
    """The folded texts of a text that was `compared`."""
    return tuple(fold(part) for part in text.split(f" {_BETWEEN} "))


def shown_pair(text: str) -> str:
    """A case as people read it: one text a line."""
    return text.replace(SEPARATOR, "\n")


def _with_places(parts: list[Masked]) -> Masked:
    """The texts of a case as one: it begins with the first one, so that its places are places of the whole."""
    return Masked(join_texts(*(part.text for part in parts)), _summed(parts), parts[0].passes)


def _summed(parts: list[Masked]) -> dict[str, int]:
    return {kind: sum(part.counts[kind] for part in parts) for kind in parts[0].counts}
