"""A sealed release decides: ids, fields, limits, and what it refuses, by the words of the refusals."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from penjing.core.canon import canonical_json
from penjing.core.errors import DamageError, RequestError, UsageError
from penjing.core.nouns import Release
from penjing.data.masked import counted
from penjing.decide.decider import Decider, Request
from penjing.decide.policy import load_policy


@pytest.fixture(scope="module")
def decider(tiny_release: Release) -> Decider:
    return Decider(tiny_release, threads=1)


def test_decides_by_model_and_by_rule(decider: Decider) -> None:
    given = [
        Request("free prize claim your reward", {"channel": "web"}),
        Request("a lottery for you", {"channel": "web"}),
        Request("call 13812345678", {"channel": "web"}, id="mine-1"),
        Request("see you at lunch", {"channel": "vip"}),
    ]
    done = decider.decide(given, clock="2026-01-01T00:00:00Z")
    first, forced, phone, vip = (each.decision for each in done)
    assert first.decided_by == "model" and first.outcome == "spam" and len(first.id) == 26
    assert forced.forced and forced.route == "automatic" and forced.fired == ("lottery",)
    assert phone.id == "mine-1" and phone.reason == "rule_review" and phone.facts["pii"]["mobile"] == 1
    assert vip.fired == ("vip",)
    assert done[2].masked.text == "call ⟦mobile⟧"
    assert all(each.decision.release == decider.release.id for each in done)
    assert all(each.decision.facts["clock"] == "2026-01-01T00:00:00Z" for each in done)
    assert "lunch" not in canonical_json(vip.to_json()).decode()


def test_a_batch_decides_as_each_alone(decider: Decider) -> None:
    texts = ["free prize", "开会 明天", "x" * 3000, "urgent offer 中奖", "收到谢谢"]
    asked = [Request(text, {"channel": "web"}, id=f"r{i}") for i, text in enumerate(texts)]
    together = decider.decide(asked, clock="c")
    alone = [decider.decide([each], clock="c")[0] for each in asked]
    assert [canonical_json(each.decision.to_json()) for each in together] == [
        canonical_json(each.decision.to_json()) for each in alone
    ]
    assert decider.decide([]) == []


def test_a_field_that_a_rule_needs_and_that_is_missing_sends_to_review(decider: Decider) -> None:
    (done,) = decider.decide([Request("see you at lunch")])
    assert (done.decision.route, done.decision.reason) == ("review", "missing_field")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(""), "the text is empty"),
        (Request(" \u200b\n"), "the text is empty"),
        (Request("a\0b"), "a NUL character at character 2"),
        (Request("a\ud800"), "a lone surrogate"),
        (Request("a" * 100_001), "100,001 characters; at most 100,000"),
        (Request(5), "the text is of type int"),  # type: ignore[arg-type]
        (Request("a", {"chanel": "web"}), "did you mean `channel`?"),
        (Request("a", {"channel": "tv"}), "the field `channel` is `tv`, not one of"),
        (Request("a", {"amount": "much"}), "the field `amount` is `much`, not a number"),
        (Request("a", id="a b"), "the id cannot be used"),
    ],
)
def test_refuses(decider: Decider, request_: Request, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        decider.decide([request_])


def test_a_refusal_names_the_request(decider: Decider) -> None:
    with pytest.raises(RequestError, match="request 2: the text is empty"):
        decider.decide([Request("a"), Request(" ")])


def test_takes_the_longest_text_that_it_allows(decider: Decider) -> None:
    (done,) = decider.decide([Request("字" * 100_000, {"channel": "web"})])
    assert done.decision.outcome in {"ham", "spam"}


def test_refuses_a_masking_that_is_not_known_and_maskings_that_differ(tiny_release: Release) -> None:
    other = dataclasses.replace(tiny_release, info=tiny_release.info.model_copy(update={"masking": "0"}))
    with pytest.raises(UsageError, match="masked by version '0'; this installation knows 1, 2"):
        Decider(other, threads=1)
    other = dataclasses.replace(tiny_release, info=tiny_release.info.model_copy(update={"masking": "1"}))
    with pytest.raises(DamageError, match="name different maskings: 1, 2"):
        Decider(other, threads=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": ["ham", "junk"]}, "different labels"),
        ({"audit": 2}, "policy.json is not valid"),
        ({"more": 1}, "policy.json is not valid"),
        ({"format": 1}, "format 1 cannot name"),
        (None, "no policy/policy.json"),
    ],
)
def test_refuses_a_policy_that_does_not_fit(
    tmp_path: Path, tiny_release_maker: Callable[..., Release], change: dict[str, object] | None, words: str
) -> None:
    release = tiny_release_maker(tmp_path)
    path = release.folder / "policy" / "policy.json"
    values = json.loads(path.read_bytes())
    if change is None:
        path.unlink()
    else:
        path.write_bytes(canonical_json({**values, **change}))
    with pytest.raises(DamageError, match=words):
        load_policy(release)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"masking": "3"}, "masked by version '3'"),
        ({"folding": "9"}, "folded by version '9'"),
        ({"rules": "3"}, "rules are written in form '3'"),
        ({"format": 8}, "policy.json has the format 8, and this installation reads formats up to 7: a newer version"),
        ({"format": 4, "facts": "9"}, "facts are recorded in version '9'"),
    ],
)
def test_versions_of_a_later_installation_are_refused_in_words(
    tmp_path: Path, tiny_release_maker: Callable[..., Release], change: dict[str, str], words: str
) -> None:
    release = tiny_release_maker(tmp_path)
    path = release.folder / "policy" / "policy.json"
    path.write_bytes(canonical_json({**json.loads(path.read_bytes()), **change}))
    with pytest.raises(UsageError, match=words) as raised:
        load_policy(release)
    assert "install the version of penjing that made it" in str(raised.value)


def test_a_new_release_folds_width_and_masks_any_grouping(
    tmp_path: Path, tiny_release_maker: Callable[..., Release]
) -> None:
    decider = Decider(tiny_release_maker(tmp_path), threads=1)
    full, card = decider.decide(
        [Request(text, {"channel": "web"}) for text in ("ＬＯＴＴＥＲＹ", "4239 0424 8611 1484")]
    )
    assert full.decision.fired == ("lottery",)
    assert card.masked.text == "⟦bank_card⟧" and card.masked.counts["landline"] == 0


def test_a_row_is_masked_once(tiny_release: Release, maskings: list[str]) -> None:
    decider = Decider(tiny_release, threads=1)
    maskings.clear()
    texts = ["call 13812345678", "see you  at lunch", "free prize"]
    raw = decider.decide([Request(text, {"channel": "web"}, id="a") for text in texts], clock="c")
    assert maskings == ["call 13812345678", "see you at lunch", "free prize"]
    maskings.clear()
    again = decider.decide([Request(each.masked, each.decision.facts["fields"], id="a") for each in raw], clock="c")
    assert maskings == [] and again == raw
    start = raw[0].masked.text.index("⟦")
    assert raw[0].masked.offsets.to_raw(start, start + 1) == (5, 16)


def test_a_masked_text_is_held_to_the_same_limits(decider: Decider) -> None:
    with pytest.raises(RequestError, match="the text is empty"):
        decider.decide([Request(counted(""))])
    with pytest.raises(RequestError, match="100,001 characters"):
        decider.decide([Request(counted("x" * 100_001))])
