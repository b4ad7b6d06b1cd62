"""A small real model that knows which words are good and which are bad."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.core.nouns import Inputs, Run, Table
from penjing.runtime.open import open_session
from penjing.runtime.session import Session
from penjing.tune import linear

WORDS = {"good": ("干净", "满意", "喜欢", "delicious"), "bad": ("太差", "退货", "失望", "broken")}
FILLERS = ("房间", "快递", "早餐", "昨天到了", "the room", "two days")


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A linear session of two labels, bad and good, each decided by four words."""
    random, folder = np.random.default_rng(0), tmp_path_factory.mktemp("explain")
    labels = ["good", "bad"] * 60
    texts = [
        "，".join([*random.choice(FILLERS, 2), str(random.choice(WORDS[label])), *random.choice(FILLERS, 2)])
        for label in labels
    ]
    inputs = Inputs(None, Table(texts[:100], labels[:100]), Table(texts[100:], labels[100:]), language="mixed")
    run = Run(out=folder / "out", scratch=folder / "scratch")
    return open_session(linear.apply(inputs, linear.Options(c=(16.0,)), run), threads=1)
