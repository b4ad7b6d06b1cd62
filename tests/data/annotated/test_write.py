"""What is written for Label Studio and doccano comes back as it was, once a person has accepted it."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import given as over
from hypothesis import strategies as st

from penjing.data.annotated import json_spans, label_studio
from penjing.data.annotated.document import AnnotatedText, LabelledRelation, LabelledSpan
from penjing.data.annotated.lines import Given
from penjing.data.annotated.write import lines_of

ANY = st.text("ab 👍é́的\U0001f468\u200d\U0001f469，1\u2028", min_size=1, max_size=30)


@st.composite
def documents(draw: st.DrawFn) -> AnnotatedText:
    text = draw(ANY)
    ends = st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text))).filter(lambda pair: pair[0] < pair[1])
    spans = {LabelledSpan(*pair, label) for pair in draw(st.lists(ends, max_size=4)) for label in "X"}
    return AnnotatedText(draw(st.integers(1, 99)), text, tuple(sorted(spans)))


def accepted(tmp_path: Path, document: AnnotatedText) -> Path:
    """A project in which the person pressed Submit on each prediction."""
    tasks = json.loads("".join(lines_of("label_studio", [(document, 0.5)] * 2, "m")))
    for task in tasks:
        task["annotations"] = [{"result": task["predictions"][0]["result"]}]
    (tmp_path / "a.json").write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    return tmp_path / "a.json"


@over(document=documents())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_label_studio_gives_back_what_it_got(tmp_path: Path, document: AnnotatedText) -> None:
    for found in label_studio.read(Given(accepted(tmp_path, document), "utf-8")):
        assert isinstance(found, AnnotatedText)
        assert (found.text, tuple(sorted(found.spans))) == (document.text, document.spans)
        assert found.more["row"] == str(document.row)


@over(document=documents())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_doccano_gives_back_what_it_got(tmp_path: Path, document: AnnotatedText) -> None:
    (tmp_path / "a.jsonl").write_text("".join(lines_of("doccano", [(document, 1), (document, 1)], "m")), "utf-8")
    found = list(json_spans.read(Given(tmp_path / "a.jsonl", "utf-8")))
    assert [(each.text, each.spans) for each in found if isinstance(each, AnnotatedText)] == [
        (document.text, document.spans)
    ] * 2


def test_labels_of_the_whole_text_are_choices() -> None:
    (task,) = json.loads("".join(lines_of("label_studio", [(AnnotatedText(3, "ab", labels=("good",)), 0.25)], "m")))
    assert task == {
        "data": {"text": "ab", "row": 3},
        "predictions": [
            {
                "model_version": "m",
                "score": 0.25,
                "result": [
                    {"from_name": "class", "to_name": "text", "type": "choices", "value": {"choices": ["good"]}}
                ],
            }
        ],
    }
    assert json.loads("".join(lines_of("label_studio", [], "m"))) == []


def test_relations_come_back_from_both_programs(tmp_path: Path) -> None:
    spans = (LabelledSpan(0, 4, "ORG"), LabelledSpan(10, 14, "ORG"))
    document = AnnotatedText(1, "Acme buys Bolt", spans, (LabelledRelation(1, 0, "bought by"),))
    (found, *_) = label_studio.read(Given(accepted(tmp_path, document), "utf-8"))
    assert isinstance(found, AnnotatedText) and found.relations == document.relations
    (tmp_path / "a.jsonl").write_text("".join(lines_of("doccano", [(document, 0.5)] * 2, "m")), encoding="utf-8")
    (found, _) = json_spans.read(Given(tmp_path / "a.jsonl", "utf-8"))
    assert isinstance(found, AnnotatedText)
    assert (found.spans, found.relations) == (spans, document.relations)
