"""A term changes no batch by itself, and what an objective declares of its term is what the term has."""

from __future__ import annotations

import importlib
from typing import get_args

import numpy as np
import pytest
from tests.pretrain.parts.test_batch import batch

from penjing.core.nouns import Family
from penjing.pretrain import METHODS
from penjing.pretrain.parts.pairs import PairTerm
from penjing.pretrain.parts.term import Term


def terms() -> list[type[Term]]:
    """The terms of all objectives, by name."""
    found = [one for path in METHODS.values() for one in vars(importlib.import_module(path)).values()]
    own = {one for one in found if isinstance(one, type) and issubclass(one, Term) and one not in (Term, PairTerm)}
    return sorted(own, key=lambda one: one.__name__)


def test_a_plain_term_reads_a_batch_as_it_is_and_has_no_loss() -> None:
    plain, whole, draw = Term(), batch(), np.random.default_rng(0)
    assert plain.arrange(whole, draw) is whole and plain.change(whole, draw) is whole
    assert plain.count(whole) == len(whole) == 2
    assert plain.head() is None and plain.perplexity(None, [whole], 10) is None  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError):
        plain.loss(None, whole, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("term", terms(), ids=lambda one: one.__name__)
def test_what_a_term_declares_is_what_it_has(term: type[Term]) -> None:
    assert term.families and set(term.families) <= set(get_args(Family))
    assert term.arranges == (term.arrange is not Term.arrange)
    # One that hides nothing may still add targets.
    assert term.change is not Term.change or not term.changes
    assert term.loss is not Term.loss


def test_every_objective_that_is_a_loss_of_its_own_has_a_term() -> None:
    assert len(terms()) >= len(METHODS) - 1, "only `adapt` puts others together"
