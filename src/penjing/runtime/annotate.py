"""The answers of a model as annotations of the user's texts, for a person who corrects them."""

from __future__ import annotations

from penjing.core.answers import Answer, Choice, Flags, Links, Span, Spans
from penjing.core.errors import UsageError
from penjing.data.annotated.document import AnnotatedText, LabelledRelation, LabelledSpan
from penjing.data.masked import Masked


def annotated(row: int, raw: str, masked: Masked, answer: Answer) -> tuple[AnnotatedText, float]:
    """The user's own text with what was answered on its masked form, and the probability of the answer.

    Spans are moved to the user's text, in characters. Raises UsageError for answers that are no labels.
    """
    if isinstance(answer, Choice):
        label, p = answer.top()
        return AnnotatedText(row, raw, labels=(label,)), p
    if isinstance(answer, Flags):
        labels = tuple(label for label, given in zip(answer.labels, answer.given, strict=True) if given)
        return AnnotatedText(row, raw, labels=labels), answer.p
    if isinstance(answer, Spans):
        return AnnotatedText(row, raw, tuple(sorted(_moved(one, masked) for one in answer.spans))), answer.p
    if isinstance(answer, Links):  # spans are in order, and keep it
        place = answer.spans.index
        relations = [LabelledRelation(place(one.head), place(one.tail), one.relation) for one in answer.links]
        return AnnotatedText(row, raw, tuple(_moved(one, masked) for one in answer.spans), tuple(relations)), answer.p
    what = f"the answers of this release (`{answer.kind}`) are no labels of a text or of its pieces"
    raise UsageError(what, fix="`penjing predict` writes answers of every kind")


def _moved(span: Span, masked: Masked) -> LabelledSpan:
    return LabelledSpan(*masked.offsets.to_raw(span.start, span.end), span.label)
