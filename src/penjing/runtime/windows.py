"""Windows of long texts: rows of token ids are cut for the engine, and the outputs of the pieces are joined.

pooled    the mean of a text's windows, each weighted by the tokens that it adds, so that every token counts once
token     each token's output from the first window that shows it
span      each token's largest outputs of the windows that show it: a span that one window cuts is whole in the next;
          of the tokens before the content, whose first one stands for "no answer", the least outputs of all windows
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from penjing.core.task import Head
from penjing.engines.protocol import Array, Engine, run_with
from penjing.text.tokens import Ids, Tokens


@dataclass
class Cut:
    """Pieces of n rows with the row of each and the tokens that it adds; too_long: rows whose end was left out.

    frames: how many tokens every piece of a row has before and after its content.
    """

    pieces: list[Ids] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    too_long: list[bool] = field(default_factory=list)
    frames: list[tuple[int, int]] = field(default_factory=list)


def cut_rows(tokens: Tokens, rows: Sequence[Ids], long_texts: Literal["chunk", "review"]) -> Cut:
    """Every row in pieces of at most the model's limit; with "review" the first piece of each alone."""
    cut = Cut()
    for owner, row in enumerate(rows):
        windows = tokens.windows(row)
        unfinished = len(windows) > 1 and long_texts == "review"
        cut.too_long.append(unfinished)
        cut.frames.append(tokens.frame_of(row))
        for window in windows[:1] if unfinished else windows:
            cut.pieces.append(window.ids)
            cut.weights.append(window.weight)
            cut.owners.append(owner)
    return cut


def run_pieces(
    engine: Engine, tokens: Tokens, cut: Cut, heads: Mapping[str, Head], features: Array | None = None
) -> dict[str, Any]:
    """Outputs of all pieces in their order: pooled (pieces, size), by token a list of (tokens, size).

    features: (rows, columns), read with every piece of a row.
    """
    pooled = [name for name, head in heads.items() if head.kind == "pooled"]
    found: dict[str, Any] = {
        name: np.empty((len(cut.pieces), head.size), dtype=np.float32)
        if head.kind == "pooled"
        else [np.empty(0)] * len(cut.pieces)
        for name, head in heads.items()
    }
    for batch in tokens.batches(cut.pieces):
        given = None if features is None else features[[cut.owners[place] for place in batch]]
        outputs = run_with(engine, [cut.pieces[place] for place in batch], given)
        for name in heads:
            if name in pooled:
                found[name][batch] = outputs[name]
                continue
            for place, row in zip(batch, outputs[name], strict=True):
                found[name][place] = row[: len(cut.pieces[place])]
    return found


def join_windows(found: Mapping[str, Any], cut: Cut, heads: Mapping[str, Head]) -> dict[str, Any]:
    """Outputs of n rows from those of their pieces: pooled (n, size), by token a list of n arrays (tokens, size)."""
    if len(cut.pieces) == len(cut.too_long):
        return dict(found)
    joined: dict[str, Any] = {}
    for name, head in heads.items():
        joined[name] = _mean(found[name], cut) if head.kind == "pooled" else _stitched(found[name], cut, head)
    return joined


def _mean(scored: Array, cut: Cut) -> Array:
    rows = len(cut.too_long)
    share = np.array(cut.weights, dtype=np.float64)
    total = np.bincount(cut.owners, weights=share)
    summed = np.zeros((rows, scored.shape[1]))
    np.add.at(summed, cut.owners, scored * share[:, None])
    result: Array = (summed / total[:, None]).astype(np.float32)
    # A text in one piece keeps the engine's own bits.
    single = np.bincount(cut.owners) == 1
    first = np.searchsorted(cut.owners, np.arange(rows))
    result[single] = scored[first[single]]
    return result


def _stitched(found: Sequence[Array], cut: Cut, head: Head) -> list[Array]:
    joined: list[list[Array]] = [[] for _ in cut.too_long]
    for owner, piece in zip(cut.owners, range(len(found)), strict=True):
        joined[owner].append(found[piece])
    weights: list[list[int]] = [[] for _ in cut.too_long]
    for owner, weight in zip(cut.owners, cut.weights, strict=True):
        weights[owner].append(weight)
    return [
        pieces[0] if len(pieces) == 1 else _one_row(pieces, added, *frame, largest=head.kind == "span")
        for pieces, added, frame in zip(joined, weights, cut.frames, strict=True)
    ]


def _one_row(pieces: Sequence[Array], added: Sequence[int], before: int, after: int, *, largest: bool) -> Array:
    """One array of all tokens of a row: its first special tokens, its content, its last special tokens."""
    ends = np.cumsum(added)
    content = np.full((int(ends[-1]), pieces[0].shape[1]), -np.inf, dtype=np.float32)
    for piece, end, new in zip(pieces, ends.tolist(), added, strict=True):
        inside = piece[before : len(piece) - after]
        if not largest:
            inside = inside[len(inside) - new :]
        place = slice(end - len(inside), end)
        content[place] = np.maximum(content[place], inside)
    begin = np.min([piece[:before] for piece in pieces], axis=0) if largest else pieces[0][:before]
    return np.concatenate((begin, content, pieces[-1][len(pieces[-1]) - after :]))
