"""`penjing export annotations`: a person corrects the answers of a release, and they come back as labelled rows."""

from __future__ import annotations

import json
from pathlib import Path

from penjing.data.read import open_table

TEXTS = ["👍 win cash now 13812345678", "明天开会 收到谢谢"]


def test_a_corrected_export_is_read_as_labelled_rows(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text\n" + "\n".join(TEXTS) + "\n", encoding="utf-8")
    ran = penjing("export", "annotations", tiny_release.folder, "in.csv", "out.json")
    assert ran.code == 0, ran.err
    assert ran.lines == [{"exported": 2, "file": "out.json", "format": "label_studio"}]
    tasks = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [task["data"] for task in tasks] == [{"text": text, "row": row} for row, text in enumerate(TEXTS, start=2)]
    guesses = [task["predictions"][0]["result"][0]["value"]["choices"] for task in tasks]
    assert guesses == [["spam"], ["ham"]]
    for task in tasks:
        task["annotations"] = [{"result": task["predictions"][0]["result"]}]
    tasks[1]["annotations"][0]["result"] = [
        {"from_name": "class", "to_name": "text", "type": "choices", "value": {"choices": ["spam"]}}
    ]
    (tmp_path / "done.json").write_text(json.dumps(tasks), encoding="utf-8")
    rows = [cells for _, cells in open_table(tmp_path / "done.json").rows()]
    assert [(row["text"], row["class"]) for row in rows] == [(TEXTS[0], "spam"), (TEXTS[1], "spam")]


def test_doccano_on_standard_output(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    ran = penjing("export", "annotations", tiny_release.folder, "in.txt", "-", "--format", "doccano")
    assert ran.code == 0, ran.err
    assert ran.lines == [
        {"text": TEXTS[0], "label": ["spam"], "row": 1},
        {"text": TEXTS[1], "label": ["ham"], "row": 2},
    ]


def test_what_has_no_answer_is_named_and_left_out(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "win"}\n{"text": " "}\n{"text": "\\ud800"}\n', encoding="utf-8")
    ran = penjing("export", "annotations", tiny_release.folder, "in.jsonl", "out.json")
    assert ran.code == 3 and "row 2: the text is empty" in ran.err and "row 3: " in ran.err
    assert len(json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))) == 1
    ran = penjing("export", "annotations", tiny_release.folder, "in.jsonl", "new.json", "--format", "brat")
    assert ran.code == 2 and "there is no export as `brat`" in ran.err
    assert not (tmp_path / "new.json").exists()
