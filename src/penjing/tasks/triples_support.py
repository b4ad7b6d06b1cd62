"""Entities with their roles in relations, as the report marks them, and how far a text supports each of them.

label of a piece:   TYPE · ROLE · ROLE …,   a role is `r→` for the head of r and `→r` for its tail
q = P(entity) prod over its roles of max over the other pieces of P(relation);   support = log(q / (1 - q))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.task import Item, TextPiece
from penjing.tasks.tag import HEAD as TAGS
from penjing.tasks.tag_decode import located, log_odds, units_of
from penjing.tasks.triples_gold import Graph
from penjing.tasks.triples_pairs import Pairs

Floats = npt.NDArray[np.float64]
BETWEEN = " · "
ARROW = "→"
_LEAST = 1e-12


def pieces_of(graph: Graph) -> list[TextPiece]:
    """The entities that have a relation, in order, their roles sorted behind the type."""
    roles: dict[int, set[str]] = {}
    for head, label, tail in graph.relations:
        roles.setdefault(head, set()).add(label + ARROW)
        roles.setdefault(tail, set()).add(ARROW + label)
    return [
        (start, end, BETWEEN.join((label, *sorted(roles[place]))))
        for place, (start, end, label) in enumerate(graph.entities)
        if place in roles
    ]


def support_of(
    own: Mapping[str, Floats],
    item: Item,
    pieces: Sequence[TextPiece | None],
    model: tuple[Sequence[str], Pairs, Mapping[str, Any]],
) -> Floats:
    """(k,) of k pieces in order, NaN for None; without pieces (1,), the log-odds of a text without entities.

    own: the outputs of the units by head; model: types, pairs and calibration.
    """
    types, pairs, calibration = model
    units = units_of(item)
    split = [None if one is None else _split(one, types) for one in pieces]
    spots = [None if one is None else located(one[0], units, types) for one in split]
    found = log_odds(own[TAGS], calibration["tags"], spots, calibration.get("following", ()))
    kept = [place for place, spot in enumerate(spots) if spot is not None]
    ends = [spot[:2] for spot in spots if spot is not None]
    shares = pairs.shares(pairs.tables(own, ends), calibration["pairs"])
    for mine, place in enumerate(kept):
        one = split[place]
        q = 1 / (1 + np.exp(-found[place]))
        for role in one[1] if one is not None else ():
            q *= max((pairs.share_of(said, p) for said, p in _meant(role, mine, shares)), default=0.0)
        q = min(max(q, _LEAST), 1 - _LEAST)
        found[place] = np.log(q) - np.log1p(-q)
    return found


def _split(piece: TextPiece, types: Sequence[str]) -> tuple[TextPiece, list[str]]:
    """The entity with its type alone, and its roles."""
    start, end, label = piece
    kind = max((one for one in types if label == one or label.startswith(one + BETWEEN)), key=len)
    rest = label[len(kind) + len(BETWEEN) :]
    return (start, end, kind), rest.split(BETWEEN) if rest else []


def _meant(role: str, mine: int, shares: Mapping[tuple[int, int], Floats]) -> list[tuple[str, Floats]]:
    """Of each pair with this piece in it, the directed relation that gives it the role, and the shares of its classes.

    `>` where the earlier piece is the head.
    """
    heads = role.endswith(ARROW)
    name = role.removesuffix(ARROW) if heads else role.removeprefix(ARROW)
    return [
        ((">" if heads == (mine == earlier) else "<") + name, p)
        for (earlier, later), p in shares.items()
        if mine in (earlier, later)
    ]
