"""Why a case was decided as it was, in sentences for a person, in English or Chinese.

The sentences are made from the recorded decision, so that they say the same later. The policy of the release adds the
certified threshold and the `why` of a rule; without it (the release is not here any more) they are left out. The words
of both languages are here, because a service makes them for every text of a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from penjing.core.abilities import MarkedTask
from penjing.core.chinese import chinese
from penjing.core.itemwise import ItemwiseTask
from penjing.core.labelwise import LabelwiseTask
from penjing.core.task import JointTask, TextPiece
from penjing.decide.absent import absent_fields, rule_reasons
from penjing.decide.policy import REASONS, Policy

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
_MOST_WORDS, _LONGEST = 5, 60
# The deciding cause by the reason of the decision; `_0` where the threshold or the fields are not known.
_CAUSES: dict[str, tuple[str, str]] = {
    "rule_outcome": (
        "the rule {rules} decides `{outcome}`, whatever the model says",
        "规则 {rules} 直接判定为 `{outcome}`，不看模型",
    ),
    "rule_review": ("the rule {rules} sends the case to a person", "规则 {rules} 把这个案例交给人工"),
    "missing_field": (
        "the rule {rules} needs {fields}, which the request did not give: a person decides",
        "规则 {rules} 需要{fields}，而请求里没有给出：由人工决定",
    ),
    "missing_field_0": (
        "the rule {rules} needs a field that the request did not give: a person decides",
        "规则 {rules} 需要的字段在请求里没有给出：由人工决定",
    ),
    "unknown_value": (
        "the value of {fields} is not among its listed values: a person decides",
        "{fields} 的值不在所列的值之中：由人工决定",
    ),
    "missing_feature": (
        "{fields} is empty, the model reads it, and it was never empty in training: a person decides",
        "模型要读 {fields}，它是空的，而训练时从不为空：由人工决定",
    ),
    "unseen_feature": (
        "{fields} has a value that the model never met in training: a person decides",
        "{fields} 的值模型在训练时没有见过：由人工决定",
    ),
    "too_long": ("the text is longer than the model takes: a person decides", "文本超过模型能读的长度：由人工决定"),
    "out_of_scope": (
        "the text is unlike those that the model learned from: a person decides",
        "文本与模型学过的文本不相像：由人工决定",
    ),
    "above_threshold": ("{said}, at or above the certified {least}", "{said}，达到经认证的阈值 {least}"),
    "above_threshold_0": ("{said}, above its certified threshold", "{said}，高于经认证的阈值"),
    "below_threshold": (
        "{said}, below the certified {least}: a person decides",
        "{said}，低于经认证的阈值 {least}：由人工决定",
    ),
    "below_threshold_0": (
        "{said}, below its certified threshold: a person decides",
        "{said}，低于经认证的阈值：由人工决定",
    ),
    "within_tolerance": (
        "{said}, so near a threshold or a second label that another machine might differ: a person decides",
        "{said}，离阈值或另一个标签太近，换一台机器结果可能不同：由人工决定",
    ),
    "not_certified": (
        "{said}; no threshold is certified for this answer: a person decides",
        "{said}；这个答案没有经认证的阈值：由人工决定",
    ),
    "too_many": (
        "{said}, and of a text at most {most} are decided without a person, the surest ones: a person decides",
        "{said}，而一条文本最多自动决定 {most} 个，取把握最大的：由人工决定",
    ),
    "audit": (
        "{said}; the case could be decided automatically, and was drawn for a check by a person",
        "{said}；本可自动决定，被抽中由人工抽检",
    ),
    "audit_of_rule": (
        "the rule {rules} decides `{outcome}`, whatever the model says, and the case was drawn for a check by a person",
        "规则 {rules} 直接判定为 `{outcome}`，不看模型；被抽中由人工抽检",
    ),
}
_SAID = ("the model says `{label}` with p {p}", "模型判为 `{label}`，概率 {p}")
_SAID_PIECES = ("the model finds {pieces} in the text with p {p}", "模型在文本中找到{pieces}，概率 {p}")
_SAID_NOTHING = ("the model finds nothing in the text with p {p}", "模型在文本中什么也没有找到，概率 {p}")
_SAID_OF = ("of `{task}` the model says `{label}` with p {p}", "`{task}` 一项，模型判为 `{label}`，概率 {p}")
_SAID_GIVEN = ("the model gives the label `{label}` with p {p}", "模型给出标签 `{label}`，概率 {p}")
_SAID_LEFT = ("the model leaves the label `{label}` out with p {p}", "模型不给标签 `{label}`，概率 {p}")
_SAID_EMPTY = (
    "the model gives no label, each of them left out with p {p} or more",
    "模型不给任何标签，每个都以不低于 {p} 的概率",
)
_OTHER = ("{said}: {reason}", "{said}：{reason}")
_NO_RULE = ("no rule fired", "没有规则触发")
_REASON_OF_RULE = ("the reason of the rule `{rule}`: {why}", "规则 `{rule}` 的理由：{why}")
_QUEUE = ("the case waits in the queue `{queue}`", "案例在队列 `{queue}` 中等待")
_CUT = ("the search for words was cut short: {cut}", "查找关键词提前结束：{cut}")
_NO_WORD = (
    "no single word or clause changes the answer of the model",
    "没有哪一个词或分句单独改变模型的答案",
)
_MATTER = ("the words that matter most to the model: {words}", "对模型影响最大的词：{words}")
_FIELD, _FIELDS = ("the field {fields}", "字段 {fields}"), ("each of the fields {fields}", "字段 {fields}")


def why(
    decided: Mapping[str, Any],
    policy: Policy | None = None,
    evidence: Mapping[str, Any] | None = None,
    language: Language = "en",
    text: str | None = None,
) -> list[str]:
    """One sentence a cause, the deciding one first.

    decided: as `Decision.to_json` gives it; evidence: as `Evidence.to_json` gives it, or None where none was asked for.
    text: the masked text, where it is known; answers that are pieces of it are then told by their words.
    """
    words = _Words(LANGUAGES.index(language), text)
    return [*words.cause(decided, policy), *words.rules(decided, policy), *words.evidence(evidence)]


def words_of(evidence: Mapping[str, Any]) -> list[str]:
    """The words of evidence, strongest first, each once; its clauses where it has no words."""
    spans = evidence.get("spans") or ()
    chosen = [span for span in spans if span.get("kind") == "word"] or spans
    return list(dict.fromkeys(" ".join(str(span["text"]).split())[:_LONGEST] for span in chosen))


class _Words:
    """The sentences in one language: 0 for English, 1 for Chinese. text: the masked text, where it is known."""

    def __init__(self, place: int, text: str | None = None) -> None:
        self._place, self._text = place, text

    def _say(self, form: tuple[str, str], **parts: object) -> str:
        return form[self._place].format(**parts)

    def _translated(self, text: str) -> str:
        return chinese(text) if self._place else text

    def cause(self, decided: Mapping[str, Any], policy: Policy | None) -> list[str]:
        """The deciding cause, and the queue in which the case waits."""
        facts, reason = decided["facts"], str(decided["reason"])
        said = self._say(_SAID, label=facts.get("label", decided["outcome"]), p=f"{facts['p']:g}")
        if policy is not None and isinstance(policy.task, MarkedTask) and reason != "rule_outcome":
            said = self._pieces(policy.task.pieces(policy.task.outcome(facts)), facts["p"])
        least = None if policy is None else policy.thresholds_at(facts["clock"]).get(policy.task.scope(facts))
        if policy is not None and isinstance(policy.task, JointTask):
            said, least = self._of_task(policy, facts)
        if policy is not None and isinstance(policy.task, LabelwiseTask):
            said, least = self._of_label(policy, facts)
        most = 0
        if policy is not None and isinstance(policy.task, ItemwiseTask):
            said, most = self._of_item(policy, facts) or said, policy.task.most
        names = facts.get("unknown" if reason == "unknown_value" else "features") or ()
        if reason == "audit" and decided.get("forced"):
            reason = "audit_of_rule"
        if reason == "missing_field":
            names = () if policy is None else absent_fields(policy, decided)
        unknown = not names if reason == "missing_field" else least is None
        form = _CAUSES.get(f"{reason}_0" if unknown else reason, _CAUSES.get(reason))
        if form is None:
            found = self._say(_OTHER, said=said, reason=self._translated(REASONS.get(reason, reason)))
        else:
            found = self._say(
                form,
                said=said,
                most=most,
                least="" if least is None else f"{least:g}",
                outcome=decided["outcome"],
                rules=self._listed(decided.get("fired") or ()),
                fields=self._say(_FIELD if len(names) == 1 else _FIELDS, fields=self._listed(tuple(names))),
            )
        queue = decided.get("queue")
        return [found, *([self._say(_QUEUE, queue=queue)] if queue else [])]

    def _pieces(self, pieces: Sequence[TextPiece], p: float) -> str:
        """What the model finds: the words of each piece where the text is known, else its places."""
        if not pieces:
            return self._say(_SAID_NOTHING, p=f"{p:g}")
        text, shown = self._text, []
        for start, end, label in pieces[:_MOST_WORDS]:
            words = f"{start}..{end}" if text is None else " ".join(text[start:end].split())[:_LONGEST]
            shown.append(f"{words} ({label})")
        more = ["…"] if len(pieces) > _MOST_WORDS else []
        return self._say(_SAID_PIECES, pieces=self._listed([*shown, *more]), p=f"{p:g}")

    def _of_task(self, policy: Policy, facts: Mapping[str, Any]) -> tuple[str, float | None]:
        """What the model says of the first task in doubt, else of the least sure one, and the threshold of that."""
        scope = next(iter(policy.doubts(facts)), policy.task.scope(facts))
        task, own = cast(JointTask, policy.task).apart(facts)[scope]
        said = self._say(_SAID_OF, task=scope, label=task.outcome(own), p=f"{own['p']:g}")
        return said, policy.thresholds_at(facts["clock"]).get(scope)

    def _of_label(self, policy: Policy, facts: Mapping[str, Any]) -> tuple[str, float | None]:
        """What the model says of the first label in doubt, else of the least sure one, and the threshold of that."""
        task = cast(LabelwiseTask, policy.task)
        scope = next(iter(policy.doubts(facts)), policy.task.scope(facts))
        label, (_, own) = task.part_of(scope), task.apart(facts)[scope]
        given = _SAID_GIVEN if scope == task.sides(label)[0] else _SAID_LEFT
        said = self._say(_SAID_EMPTY if scope == task.empty else given, label=label, p=f"{own['p']:g}")
        return said, policy.thresholds_at(facts["clock"]).get(scope)

    def _of_item(self, policy: Policy, facts: Mapping[str, Any]) -> str:
        """What the model says of the first item in doubt, else of the least sure one; "" of an answer without items."""
        items = cast(ItemwiseTask, policy.task).items(facts)
        if not items:
            return ""
        doubts, least = policy.doubts(facts), min(range(len(items)), key=lambda place: items[place].p)
        place = int(next(iter(doubts), least))
        pieces = cast(MarkedTask, policy.task).pieces(policy.task.outcome(facts))
        return self._pieces(pieces[place : place + 1], items[place].p)

    def rules(self, decided: Mapping[str, Any], policy: Policy | None) -> list[str]:
        """The reasons of the rules that fired, or that none did."""
        fired = decided.get("fired") or ()
        if not fired:
            return [self._say(_NO_RULE)] if policy is None or policy.rules is not None else []
        known = {} if policy is None else rule_reasons(policy, decided)
        return [self._say(_REASON_OF_RULE, rule=rule, why=reason) for rule, reason in known.items()]

    def evidence(self, evidence: Mapping[str, Any] | None) -> list[str]:
        """The words that matter most."""
        if evidence is None:
            return []
        found = words_of(evidence)
        cut = [self._say(_CUT, cut=self._translated(str(evidence["cut"])))] if evidence.get("cut") else []
        if not found:
            return cut or [self._say(_NO_WORD)]
        return [self._say(_MATTER, words=self._listed(found[:_MOST_WORDS])), *cut]

    def _listed(self, names: Sequence[str]) -> str:
        return ("、" if self._place else ", ").join(f"`{name}`" for name in names)
