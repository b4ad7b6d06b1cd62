"""Checks at every load that the engine gives the outputs stored when the release was made, for fixed token sequences.

A changed file is found by its hash. This check finds an engine or a CPU that computes differently (INT8 without VNNI
saturates, a bf16 path rounds to three digits), before any text is decided.

Format 2 has `outputs`, by the name of the head. Format 1, for models that are described by their labels, has the
outputs of the one head as `logits`. `features` are numbers of declared fields, for a model that reads any.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from penjing.core.certificate import SELFCHECK
from penjing.core.errors import DamageError
from penjing.core.nouns import Release
from penjing.data.features import FieldFeatures
from penjing.engines.protocol import Array, Engine, run_with
from penjing.runtime.session import Session
from penjing.text.tokens import Tokens

LENGTHS = (3, 8, 15, 16, 30, 32, 48, 64, 90, 128, 200)
# Shares of the largest stored output. Float32 sums in another order change outputs by 1e-6 of it. If that changes INT8
# rounding, by 0.3 % (the same text with and without padding). Without VNNI, OpenVINO's outputs differ by 10 %.
FLOAT_TOLERANCE, INT8_TOLERANCE = 1e-3, 0.03
_SUM_ORDER = 1e-6  # the same share, for the same row in a batch of another size on one machine
# A linear model has no tokens: its sequences are texts.
_TEXTS = (
    "房间很干净，服务员态度也好，下次还会再来。",
    "快递太慢了，等了一个星期，包装还破了",
    "The delivery was late and the box was damaged; I want my money back.",
    "free entry! call now to claim your prize",
    "头疼三天了，要不要去医院看看？",
)


def make_selfcheck(session: Session) -> dict[str, Any]:
    """Sequences, the outputs of this session's engine for them, and the tolerance: plain values for `selfcheck.json`.

    For a model of several stages each of them is checked, under its name.
    """
    if session.stages:
        stages = {name: make_selfcheck(one) for name, one in session.stages.items()}
        return {"format": 1, "kind": session.artifact.card.form} | stages
    tokens = session.tokens
    inputs = list(_TEXTS) if tokens is None else [row.tolist() for row in _sequences(tokens)]
    features = _features(session, len(inputs))
    found = _run(session.engine, inputs, _as_array(features))
    stored = {name: [_rounded(row) for row in rows] for name, rows in found.items()}
    labels_alone = not session.artifact.card.task_state
    largest = max(float(np.abs(row).max()) for rows in found.values() for row in rows)
    share = INT8_TOLERANCE if session.artifact.card.precision == "int8" else FLOAT_TOLERANCE
    return {
        "format": 1 if labels_alone else 2,
        "kind": "texts" if tokens is None else "ids",
        "inputs": inputs,
        **({"features": features} if features else {}),
        **({"logits": next(iter(stored.values()))} if labels_alone else {"outputs": stored}),
        "tolerance": round(share * max(1.0, largest), 7),
        "fingerprint": session.fingerprint(),
    }


def run_selfcheck(subject: Session | Engine, stored: Mapping[str, Any] | Release) -> float:
    """The largest difference of an output from the stored one; stored: what `make_selfcheck` gave, or a release.

    Raises DamageError if it is beyond the tolerance, if the other rows of a batch change a row, or if
    `selfcheck.json` cannot be used.
    """
    where = str(stored.folder) if isinstance(stored, Release) else None
    check = _read(stored.folder / SELFCHECK) if isinstance(stored, Release) else stored
    if isinstance(subject, Session) and subject.stages:
        try:
            return max(run_selfcheck(one, check[name]) for name, one in subject.stages.items())
        except (KeyError, TypeError) as error:
            raise DamageError(f"{SELFCHECK} does not fit the model: {error}", where=where, fix=_FIX_FILE) from None
    engine = subject.engine if isinstance(subject, Session) else subject
    try:
        inputs, tolerance, maker = check["inputs"], float(check["tolerance"]), dict(check["fingerprint"])
        features = _as_array(check.get("features"))
        found = _run(engine, inputs, features)
        apart = _apart(found, _stored(check, found))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DamageError(f"{SELFCHECK} does not fit the model: {error}", where=where, fix=_FIX_FILE) from None
    if not apart <= tolerance:
        raise DamageError(
            f"this machine's engine does not agree with the one that made the release: an output differs by "
            f"{apart:.3g}, the tolerance is {tolerance:.3g}. "
            f"Here: {_words(engine.fingerprint())}; made with: {_words(maker)}",
            where=where,
            fix="serve on a CPU with the same INT8 instructions (`penjing doctor` names them), "
            "or make the release on this kind of machine",
        )
    _check_neighbours(engine, inputs, features, where)
    return apart


def _sequences(tokens: Tokens) -> list[Array]:
    """Random ids of several lengths between the special tokens; the same for the same tokenizer."""
    random = np.random.default_rng(0)
    frame = tokens.encode([""])[0]
    before, after = frame[: len(frame) // 2], frame[len(frame) // 2 :]
    ordinary = np.setdiff1d(np.arange(tokens.size), np.append(frame, tokens.pad_id))
    lengths = sorted({min(length, tokens.limit - len(frame)) for length in LENGTHS})
    return [np.concatenate((before, random.choice(ordinary, length), after)) for length in lengths if length > 0]


def _features(session: Session, count: int) -> list[list[float]] | None:
    """Numbers of declared fields, as many rows as inputs; None for a model that reads the text alone."""
    size = FieldFeatures.from_json(session.artifact.card.features).size
    return np.random.default_rng(1).normal(size=(count, size)).round(2).tolist() if size else None


def _as_array(features: Any) -> Array | None:
    return None if features is None else np.array(features, dtype=np.float32)


def _run(engine: Engine, inputs: Sequence[Any], features: Array | None) -> dict[str, list[Array]]:
    """The outputs of each head for each input, run alone."""
    # For an engine with early exit, all stages: a row at a threshold may stop at another stage on another machine.
    every = getattr(engine, "every", None)
    rows = _rows(engine, inputs)
    alone = [every([row]) for row in rows] if every else _one_by_one(engine, rows, features)
    # For outputs by token the padding is not compared: it has no meaning.
    sizes = [len(row) for row in rows]
    return {
        name: [_own(one[name][0], size) for one, size in zip(alone, sizes, strict=True)]
        for name in (alone[0] if alone else {})
    }


def _one_by_one(engine: Engine, rows: Sequence[Array], features: Array | None) -> list[Any]:
    places = range(len(rows))
    return [run_with(engine, [rows[i]], None if features is None else features[i : i + 1]) for i in places]


def _own(row: Array, size: int) -> Array:
    return row[:size] if row.ndim > 1 else row


def _stored(check: Mapping[str, Any], found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stored outputs by the name of the head. Raises KeyError or ValueError."""
    if "outputs" in check:
        return dict(check["outputs"])
    if len(found) != 1:
        raise ValueError(f"{len(found)} heads, stored are the outputs of one")
    return dict.fromkeys(found, check["logits"])


def _apart(found: Mapping[str, Sequence[Array]], stored: Mapping[str, Any]) -> float:
    """The largest difference; NaN if an output is NaN. Raises ValueError if the two cannot be compared."""
    if not found or found.keys() != stored.keys():
        raise ValueError(f"heads {', '.join(found) or 'none'}; stored {', '.join(stored) or 'none'}")
    apart = []
    for name, rows in found.items():
        if len(rows) != len(stored[name]):
            raise ValueError(f"`{name}` of {len(rows)} inputs, stored of {len(stored[name])}")
        for row, one in zip(rows, stored[name], strict=True):
            wanted = np.array(one, dtype=np.float64)
            if row.shape != wanted.shape:
                raise ValueError(f"`{name}` {row.shape}, stored {wanted.shape}")
            apart.append(float(np.abs(row - wanted).max()))
    return float(np.max(apart))


def _rounded(row: Array) -> list[Any]:
    if row.ndim == 1:
        return [round(float(value), 7) for value in row]
    return [_rounded(part) for part in row]


def _rows(engine: Engine, inputs: Sequence[Any]) -> list[Array]:
    if inputs and isinstance(inputs[0], str):
        return engine.encode(list(inputs))
    return [np.array(row, dtype=np.int64) for row in inputs]


def _check_neighbours(engine: Engine, inputs: Sequence[Any], features: Array | None, where: str | None) -> None:
    rows = _rows(engine, inputs)
    alone, together = _one_by_one(engine, rows, features), run_with(engine, rows, features)
    pairs = [
        (_own(together[name][place], len(row)), _own(alone[place][name][0], len(row)))
        for name in together
        for place, row in enumerate(rows)
    ]
    largest = max((float(np.abs(one).max(initial=0)) for _, one in pairs), default=0.0)
    bound = _SUM_ORDER * max(1.0, largest)
    if not all(np.allclose(beside, one, rtol=0, atol=bound) for beside, one in pairs):
        raise DamageError(
            "on this machine a text's result depends on the other texts of its batch, so no decision could be replayed",
            where=where,
            fix="install the engine's version that made the release (`penjing show` names it)",
        )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        check = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError) as error:
        raise DamageError(f"{SELFCHECK} cannot be read: {error}", where=str(path.parent), fix=_FIX_FILE) from None
    if not isinstance(check, dict):
        raise DamageError(f"{SELFCHECK} is not a mapping", where=str(path.parent), fix=_FIX_FILE)
    return check


def _words(fingerprint: Mapping[str, str]) -> str:
    return f"{fingerprint.get('engine')} {fingerprint.get('version')} on {fingerprint.get('instruction_set')}"


_FIX_FILE = "copy the release again from where it was made, or make it again"
