"""The sets of `tasks.py`: how each is read, cut by hash, and written for a recipe.

Every set is a list of cases to learn from and a list of test cases. Repeats of a text are taken out, and test texts
that are also among the others. Cases are ordered by the hash of their text (`unit_hash`), so every run takes the same
ones. The texts stay in the folder of the bench.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from penjing.core.canon import unit_hash

Case = dict[str, Any]
# Cases of each part at most; a smaller set gives validation an eighth and calibration a fifth of what is not test.
TRAIN, VALIDATION, CALIBRATION, TEST = 3_000, 500, 1_000, 1_500


@dataclass(frozen=True)
class TaskSet:
    """A set: the task and the `data:` of its recipe, how it is read, and what others published on it.

    read: folder of the data -> cases to learn from, and test cases; none where the set has no test of its own.
    key: the columns by which a case is the same as another. published: the figure, and why it is another task.
    epochs: passes of an encoder over the rows.
    """

    title: str
    task: Mapping[str, Any]
    data: Mapping[str, Any]
    read: Callable[[Path], tuple[list[Case], list[Case]]]
    published: str
    key: tuple[str, ...] = ("text",)
    epochs: int = 10


def parts(cases: TaskSet, folder: Path) -> dict[str, list[Case]]:
    """The cases of each part, the same ones every time."""
    learn, test = cases.read(folder)

    def key(case: Case) -> str:
        return "\x1f".join(str(case[name]) for name in cases.key)

    def ordered(some: Sequence[Case], without: set[str]) -> list[Case]:
        distinct = {key(case): case for case in reversed(some)}
        # Cases of one text stay together, so hardly any text is in two parts.
        order = sorted(distinct.keys() - without, key=lambda one: (unit_hash(one.partition("\x1f")[0]), one))
        return [distinct[one] for one in order]

    learn = ordered(learn, set())
    if not test:
        cut = min(TEST, len(learn) // 4)
        learn, test = learn[cut:], learn[:cut]
    test = ordered(test, {key(case) for case in learn})[:TEST]
    validation, calibration = min(VALIDATION, len(learn) // 8), min(CALIBRATION, len(learn) // 5)
    rest = learn[validation + calibration :]
    return {
        "train": rest[:TRAIN],
        "validation": learn[:validation],
        "calibration": learn[validation : validation + calibration],
        "test": test,
    }


def write_lines(path: Path, cases: Sequence[Case]) -> None:
    """One JSON object a line."""
    path.write_text("".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases), encoding="utf-8")


def _text(path: Path) -> str:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in _text(path).splitlines() if line.strip()]


def _tal(folder: Path) -> tuple[list[Case], list[Case]]:
    """Knowledge points of school mathematics: of each path its third step; questions without any say `none`."""

    def cases(path: Path) -> list[Case]:
        found = []
        for row in _lines(path):
            points = {way.split("->")[2].strip() for way in row["knowledge_points"] if way.count("->") >= 2}
            found.append({"text": row["problem"], "label": sorted(points)})
        return found

    here = folder / "zh-education-math-tal"
    return cases(here / "zh_train.jsonl.gz"), cases(here / "zh_test.jsonl.gz")


def _movielens(folder: Path) -> tuple[list[Case], list[Case]]:
    """Genres of a film from its title and the tags of its viewers, each tag once."""
    here = folder / "recsys-movielens-small"
    tags: dict[str, dict[str, None]] = defaultdict(dict)
    for row in csv.DictReader(io.StringIO(_text(here / "tags.csv"))):
        tags[row["movieId"]].setdefault(row["tag"].strip())
    found = []
    for row in csv.DictReader(io.StringIO(_text(here / "movies.csv"))):
        if row["genres"] != "(no genres listed)":
            text = ", ".join([row["title"].strip(), *tags[row["movieId"]]])
            found.append({"text": text, "label": sorted(row["genres"].split("|"))})
    return found, []


def cluener(folder: Path) -> tuple[list[Case], list[Case]]:
    """Train and test sentences of CLUENER2020, without those whose entities overlap."""

    def cases(path: Path) -> list[Case]:
        text, place, found = _text(path), 0, []
        while match := re.compile(r"\s*(?=\S)").match(text, place):
            row, place = json.JSONDecoder().raw_decode(text, match.end())
            spans = sorted(
                (start, last + 1, name)
                for name, surfaces in row["label"].items()
                for places in surfaces.values()
                for start, last in places
            )
            if all(one[1] <= other[0] for one, other in pairwise(spans)):
                found.append({"text": row["text"], "label": _spans(spans)})
        return found

    here = folder / "zh-ner-cluener"
    return cases(here / "train.json.gz"), cases(here / "dev.json")


def _spans(spans: Sequence[tuple[int, int, str]]) -> list[dict[str, Any]]:
    return [{"start": start, "end": end, "label": name} for start, end, name in spans]


def _resume(folder: Path) -> tuple[list[Case], list[Case]]:
    def cases(path: Path) -> list[Case]:
        found = []
        for block in _text(path).replace("\r\n", "\n").split("\n\n"):
            pairs = [line.split(" ") for line in block.split("\n") if line]
            spans: list[tuple[int, int, str]] = []
            for place, (_, tag) in enumerate(pairs):
                kind, _, name = tag.partition("-")
                inside = kind in ("M", "E") and bool(spans) and spans[-1][1:] == (place, name)
                if inside:
                    spans[-1] = (spans[-1][0], place + 1, name)
                elif name:
                    spans.append((place, place + 1, name))
            if pairs:
                found.append({"text": "".join(character for character, _ in pairs), "label": _spans(spans)})
        return found

    here = folder / "zh-ner-resume"
    return cases(here / "train.char.bmes.gz") + cases(here / "dev.char.bmes"), cases(here / "test.char.bmes")


def _maintie(folder: Path) -> tuple[list[Case], list[Case]]:
    """Work orders; the type is the top class of its path."""
    found = []
    for row in json.loads(_text(folder / "en-maintenance-maintie" / "gold_release.json")):
        starts = [0]
        for token in row["tokens"]:
            starts.append(starts[-1] + len(token) + 1)
        spans = sorted(
            (starts[one["start"]], starts[one["end"]] - 1, one["type"].split("/")[0]) for one in row["entities"]
        )
        if all(one[1] <= other[0] for one, other in pairwise(spans)):
            found.append({"text": " ".join(row["tokens"]), "label": _spans(spans)})
    return found, []


def _finre(folder: Path) -> tuple[list[Case], list[Case]]:
    def cases(path: Path) -> list[Case]:
        rows = [line.split("\t") for line in _text(path).splitlines() if line.count("\t") == 3]
        names = ("head", "tail", "relation", "sentence")
        found = [dict(zip(names, map(str.strip, row), strict=True)) for row in rows]
        return [case for case in found if case["head"] in case["sentence"] and case["tail"] in case["sentence"]]

    here = folder / "zh-relation-finre"
    return cases(here / "train.txt.gz") + cases(here / "valid.txt"), cases(here / "test.txt")


def _bustm(folder: Path) -> tuple[list[Case], list[Case]]:
    """All labelled pairs in one: `test_public` has most of them."""
    here = folder / "zh-fewclue" / "bustm"
    rows = [row for name in ("train_few_all", "dev_few_all", "test_public") for row in _lines(here / f"{name}.json")]
    return [{"text_a": row["sentence1"], "text_b": row["sentence2"], "label": str(row["label"])} for row in rows], []


def _cmrc(folder: Path) -> tuple[list[Case], list[Case]]:
    """Questions about passages. To learn from: DRCD's dev part and CMRC's trial part; test: CMRC's dev part.

    Questions whose answers are not at the places that the file says are left out.
    """

    def cases(name: str) -> Iterator[Case]:
        for article in json.loads(_text(folder / "zh-qa-cmrc2018-drcd" / name))["data"]:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    context, answers = paragraph["context"], question["answers"]
                    placed = [(one["answer_start"], one["text"]) for one in answers if one["answer_start"] >= 0]
                    if all(context[start : start + len(text)] == text for start, text in placed) and placed:
                        label = [{"start": start, "end": start + len(text)} for start, text in placed]
                        yield {"text": context, "question": question["question"], "label": label}

    learn = [*cases("DRCD_dev.json.gz"), *cases("cmrc2018_trial.json")]
    return learn, list(cases("cmrc2018_dev.json.gz"))


def _headlines(folder: Path) -> tuple[list[Case], list[Case]]:
    """The company that a headline is about, where it is named once, and whether the news is good.

    A title with two companies or two moods is one case, that of its first row.
    """
    here = folder / "zh-finance-news-sentiment"
    seed = load_workbook(here / "news_seed.xlsx", read_only=True).active.iter_rows(values_only=True)
    learn = [(row[4], row[1], row[3]) for row in list(seed)[1:]]
    listed = csv.DictReader(io.StringIO(_text(here / "test_data.csv.gz")))
    test = [(row["标题"], row["公司"], row["正负面"]) for row in listed]

    def cases(rows: Sequence[tuple[Any, Any, Any]]) -> list[Case]:
        found = []
        for row in rows:
            title, company, mood = (str("" if value is None else value).strip() for value in row)
            if company and title.count(company) == 1 and mood in ("0", "1"):
                start = title.index(company)
                company_at = _spans([(start, start + len(company), "company")])
                found.append({"text": title, "company": company_at, "mood": ("bad", "good")[int(mood)]})
        return found

    known = {case["text"] for case in cases(learn)}
    return cases(learn), [case for case in cases(test) if case["text"] not in known]


def _banking(folder: Path) -> tuple[list[Case], list[Case]]:
    """Questions to a bank; the catalogue is the names of the 77 intents, written as words."""

    def cases(path: Path) -> list[Case]:
        rows = csv.DictReader(io.StringIO(_text(path)))
        return [{"text": row["text"].strip(), "label": row["category"].replace("_", " ")} for row in rows]

    here = folder / "en-intent-banking77"
    return cases(here / "train.csv"), cases(here / "test.csv")


SETS: dict[str, TaskSet] = {
    "tal": TaskSet(
        "Knowledge points of school mathematics (TAL-SCQ5K, Chinese)",
        {"type": "several"}, {"text": "text", "label": "label"}, _tal,
        "none known",
    ),
    "movielens": TaskSet(
        "Genres of films from title and tags (MovieLens latest-small)",
        {"type": "several"}, {"text": "text", "label": "label"}, _movielens,
        "none known; most films have no tag, so a title of three words is all there is",
    ),
    "cluener": TaskSet(
        "Entities in news (CLUENER2020)",
        {"type": "tag"}, {"text": "text", "label": "label"}, cluener,
        "F1 of BiLSTM-CRF 70.0, RoBERTa-wwm-large 80.4, on a test that is not public, with all 10,748 train rows",
    ),
    "resume": TaskSet(
        "Entities in résumés (Resume NER, Chinese)",
        {"type": "tag"}, {"text": "text", "label": "label"}, _resume,
        "F1 of a character BiLSTM-CRF 93.5, BERT-CRF 95.5 to 96, with all train rows",
    ),
    "maintie": TaskSet(
        "Entities in work orders (MaintIE gold)",
        {"type": "tag"}, {"text": "text", "label": "label"}, _maintie,
        "none for this cut: the paper trains on 7,000 silver rows, which are not here",
    ),
    "finre": TaskSet(
        "Relations between companies in news (FinRE, Chinese)",
        {"type": "relate"}, {"text": "sentence", "head": "head", "tail": "tail", "label": "relation"}, _finre,
        "F1 of MG-Lattice 49.3, with all 13,486 train rows; one case in ten has several relations, of which one "
        "counts here",
        key=("sentence", "head", "tail"),
    ),
    "bustm": TaskSet(
        "Do two questions mean the same (BUSTM)",
        {"type": "match"}, {"text": "text_a", "other": "text_b", "label": "label"}, _bustm,
        "none for this cut: the benchmark trains on 32 pairs",
        key=("text_a", "text_b"),
    ),
    "banking": TaskSet(
        "The nearest of 77 intents by name (BANKING77)",
        {"type": "nearest"}, {"text": "text", "label": "label"}, _banking,
        "accuracy of a tuned BERT-base 93.7 with all 10,003 train rows (Casanueva et al., 2020)",
    ),
    "cmrc": TaskSet(
        "Answers in a passage (CMRC 2018, learned from DRCD's dev part and CMRC's trial part)",
        {"type": "answer"}, {"text": "text", "question": "question"}, _cmrc,
        "exact match / F1 of BERT-base 65.5 / 84.5, with 10,000 train questions of CMRC",
        key=("text", "question"),
        epochs=2,
    ),
    "headlines": TaskSet(
        "Company and mood of financial headlines (Chinese)",
        {"type": "together", "tasks": {"company": {"type": "tag"}, "mood": {"type": "classify"}}},
        {"text": "text"}, _headlines,
        "none known for this cut",
    ),
}  # fmt: skip
