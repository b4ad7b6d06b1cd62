"""How far a text is from those of training: by hand, the same alone and among others, and files that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from penjing.core.errors import DamageError, UsageError
from penjing.prove.scope import seen_grams
from penjing.runtime.scope import Scope, ScopeSpec, SeenGrams, StageEnergies, read_scope
from penjing.runtime.session import Session
from penjing.text.short_grams import short_grams


def spec(**changed: object) -> ScopeSpec:
    values = {
        "threshold": 0.5,
        "share": 0.015,
        "rows": 200,
        "stages": (StageEnergies(middle=-4.0, width=2.0),),
        "bits": 14,
    }
    return ScopeSpec.model_validate({**values, **changed})


def test_the_score_is_the_larger_of_both_parts() -> None:
    grams = SeenGrams(np.zeros(1 << 14, dtype=bool), 14)
    grams.seen[short_grams("abc", 14)] = True
    found = Scope(spec(unseen=0.8), grams).far(["abc", "abc", "xyz", ""], np.array([-6.0, -1.0, -6.0, -6.0]), [0] * 4)
    # (-1 + 4) / 2 = 1.5, and 1 / 0.8 where nothing is known.
    assert found == [0.0, 0.6, round(1.25 / 2.25, 6), round(1.25 / 2.25, 6)]
    assert [grams.unseen(text) for text in ("xyz", "abc", " ABC\u3000", "abx")] == [1.0, 0.0, 0.0, 4 / 7]


def test_each_stage_has_a_spread_of_its_own() -> None:
    scope = Scope(spec(stages=(StageEnergies(middle=-4.0, width=2.0), StageEnergies(middle=-8.0, width=1.0))), None)
    assert scope.far(["a", "a"], np.array([-4.0, -4.0]), [0, 1]) == [0.0, 0.8]
    assert [scope.is_out(far) for far in (0.5, 0.500001)] == [False, True]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    grams = seen_grams(["my card is lost", "手续费太高"])
    scope = Scope(spec(unseen=0.2, bits=grams.bits), grams)
    scope.write(tmp_path)
    read = read_scope(tmp_path)
    assert read is not None and read.spec == scope.spec and read.grams is not None
    texts = ["my card is lost", "手续费太高", "qqq zzz", "今天天气"]
    assert read.far(texts, np.zeros(4), [0] * 4) == scope.far(texts, np.zeros(4), [0] * 4)
    assert [read.grams.unseen(text) for text in texts[:2]] == [0.0, 0.0]
    before = {path.name: path.read_bytes() for path in (tmp_path / "scope").iterdir()}
    read.write(tmp_path)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "scope").iterdir()}


def test_a_release_without_one_has_none(tmp_path: Path) -> None:
    assert read_scope(tmp_path) is None


@pytest.mark.parametrize(
    ("raw", "seen", "error", "words"),
    [
        ("{}", b"", DamageError, "is not valid"),
        ('{"format":1,"threshold":2,"share":0.1,"rows":9,"stages":[{"middle":0,"width":1}]}', b"", DamageError, "thr"),
        ('{"format":1,"threshold":0.5,"share":0.1,"rows":9,"stages":[]}', b"", DamageError, "is not valid"),
        (
            '{"format":1,"threshold":0.5,"share":0.1,"rows":9,"stages":[{"middle":0,"width":0}]}',
            b"",
            DamageError,
            "valid",
        ),
        ('{"format":9,"threshold":0.5}', b"", UsageError, "newer"),
        (spec(unseen=0.2).model_dump_json(), b"", DamageError, "has 0 bytes"),
        (spec(unseen=0.2).model_dump_json(), b"\0" * 99, DamageError, "has 99 bytes"),
        ("[" * 9999, b"", DamageError, "is not valid"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    raw: str, seen: bytes, error: type[Exception], words: str, tmp_path: Path
) -> None:
    (tmp_path / "scope").mkdir()
    (tmp_path / "scope" / "scope.json").write_text(raw)
    (tmp_path / "scope" / "seen.bin").write_bytes(seen)
    with pytest.raises(error, match=words):
        read_scope(tmp_path)


@pytest.mark.parametrize("form", ["torch", "onnx", "openvino"])
def test_a_text_has_the_same_score_alone_and_the_answer_it_had(form: str, open_form: Callable[..., Session]) -> None:
    session = open_form(form)
    texts = ["good film", "bad film", "好 电影", "good " * 60, "zzz qqq", "bad bad good film"]
    energies, stages = session.energies(texts)
    wide = spec(stages=(StageEnergies(middle=float(np.median(energies)), width=1.0),))
    served = session.within(Scope(wide, None))
    found = served.predict(texts)
    assert [each.answer for each in found] == [each.answer for each in session.predict(texts)]
    assert [served.predict([text])[0] for text in texts] == found
    assert stages == [0] * len(texts) and session.scope is None
    assert [each.far for each in session.predict(texts)] == [None] * len(texts)
    assert len({each.far for each in found}) > 1 and found[0].to_json()["far"] == found[0].far
