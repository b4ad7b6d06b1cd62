"""What annotated texts seem to hold, as a recipe is to read them: the form of their file."""

from __future__ import annotations

from pathlib import Path

from penjing.core.errors import UsageError
from penjing.data.find_form import find_form, has_relations
from penjing.data.guessed import Guess

# Forms of annotated texts whose gold is pieces of the text.
SPANS = {"conll", "jsonl", "doccano", "label_studio", "brat"}
_RELATED = "the pieces of the texts are related: `--task triples` learns their relations too"


def guess_form(path: Path, further: tuple[str, ...] | None) -> Guess | None:
    """The guess on annotated texts; None for a table. further: as `guess` has it.

    Raises UsageError for a form that no task reads.
    """
    form = find_form(path)
    if form is None:
        return None
    if form == "squad" and further in (None, ("question",)):
        return Guess("text", "label", "auto", None, (), form=form, question="question")
    if form in SPANS:
        notes = (_RELATED,) if form == "jsonl" and has_relations(path) else ()
        return Guess("text", "label", "auto", None, notes, form=form, spans=True)
    raise UsageError(
        "these are annotated texts, not a table of texts and labels",
        where=str(path),
        fix=f"write the recipe by hand, with `format: {form}` under `data:`, or name the columns: --text, --label",
    )
