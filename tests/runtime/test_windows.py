"""Windows of a long text become one output a head: a weighted mean, each token once, the largest of each token."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from penjing.core.task import Head
from penjing.engines.protocol import one_after_another
from penjing.runtime.windows import cut_rows, join_windows, run_pieces
from penjing.text.tokens import Tokens

HEADS = {
    "mean": Head("pooled", 1, "mean_squared_error"),
    "tag": Head("token", 2, "cross_entropy"),
    "span": Head("span", 2, "cross_entropy"),
}


class Echo:
    """Gives back ids: pooled their number, by token the id; the later of two windows says 0.5 more."""

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:  # noqa: ARG002
        raise AssertionError("not asked")

    def run(self, batch: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        # As wide as the widest, and beyond a row's own tokens something that must not be seen.
        tokens = np.full((len(batch), max(map(len, batch)), 2), np.nan, dtype=np.float32)
        for place, row in enumerate(batch):
            tokens[place, : len(row)] = row[:, None] + 0.001 * np.arange(len(row))[:, None]
        return {
            "mean": np.array([[row[1:-1].mean()] for row in batch], dtype=np.float32),
            "tag": tokens,
            "span": -tokens,
        }

    def fingerprint(self) -> dict[str, str]:
        return {}


class Cutter(Tokens):
    """Windows of ten tokens, one special token on each side."""

    def __init__(self) -> None:
        self.limit, self._before, self._after, self.passages = 10, 1, 1, None


def _outputs(rows: list[np.ndarray], long_texts: str = "chunk") -> tuple[dict[str, list[np.ndarray]], list[bool]]:
    tokens = Cutter()
    cut = cut_rows(tokens, rows, long_texts)  # type: ignore[arg-type]
    return join_windows(run_pieces(Echo(), tokens, cut, HEADS), cut, HEADS), cut.too_long


def test_every_token_stands_once_and_in_its_place() -> None:
    long, short = np.arange(100, 125), np.arange(200, 205)
    outputs, too_long = _outputs([short, long, short])
    assert too_long == [False] * 3
    for name, sign in (("tag", 1), ("span", -1)):
        for row, found in zip((short, long, short), outputs[name], strict=True):
            assert found.shape == (len(row), 2)
            np.testing.assert_array_equal(np.floor(sign * found[:, 0] + 0.0001), row)
    np.testing.assert_allclose(outputs["mean"][:, 0], [202, 112, 202], atol=1.5)


def test_a_token_seen_twice_is_the_first_ones_or_the_largest() -> None:
    outputs, _ = _outputs([np.arange(100, 125)])
    # Windows show 101..108, 107..114, 113..120 and 116..123: token 107 at place 7 of the first, 1 of the second.
    assert outputs["tag"][0][7, 0] == np.float32(107.007)
    assert outputs["span"][0][7, 0] == np.float32(-107.001)
    assert outputs["tag"][0][9, 0] == np.float32(109.003)


def test_review_keeps_the_first_window() -> None:
    outputs, too_long = _outputs([np.arange(100, 125)], "review")
    assert too_long == [True] and outputs["tag"][0].shape == (10, 2)


def test_batches_of_other_widths_are_filled_up() -> None:
    echo = Echo()
    joined = one_after_another([echo.run([np.arange(3)]), echo.run([np.arange(5)])])
    assert joined["tag"].shape == (2, 5, 2) and joined["mean"].shape == (2, 1)
    np.testing.assert_array_equal(joined["tag"][0, 3:], 0)
