"""What a compressed form keeps over all rows of a set, each row answered by models that have not seen it.

    python bench/folds.py --data DIR --models DIR --out DIR [--set NAME ...] [--base mini|e5] [--rows N] [--folds 3]
                          [--form NAME]

All rows of a set, cleaned, masked and without duplicates, are assigned to folds label by label, by a hash of their
text. For each fold `penjing make` tunes a teacher on the other rows, which it splits into train, validation and
calibration itself, and compresses it into one form: the last one that the search of `bench/speed.py` tested, or
--form. Both then answer the fold. Pooled over the folds the answers bound what is kept more closely than the rows of
one test part. The form was chosen on a part of the same rows: what is tested here is how it is made, not how it was
chosen.
Writes one line for each fold to bench/results/folds.jsonl; a fold that is already there is skipped.
`bench/speed_page.py` puts the pooled share and the F1 of each label into its page.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

import speed
from penjing.core.answers import Choice, as_kind
from penjing.core.canon import digest, unit_hash
from penjing.core.machine import cores
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.data.prepare import Prepared, prepare
from penjing.make.search.chains import AGREEMENTS, behind_static, chains, with_small_embeddings
from penjing.measure.evaluate import Paired, paired_ratio
from penjing.model.base import depth_of, open_base
from penjing.runtime.open import open_session
from penjing.tasks import reader_of
from penjing.tasks.metrics import accuracy, confusion, encode_labels, f1_by_label
from speed import LINEAR, counts_of, macro_f1, promised_labels, task_over
from spine import SETS, TUNE, append, base_named, key_of, parser_of, read_results, run_one, write_recipe

RESULTS = speed.RESULTS.with_name("folds.jsonl")
Row = dict[str, Any]
# As many labels as a table shows.
MANY = 20


def steps_of(form: str, layers: int) -> list[Row]:
    """The recipe's steps, behind tuning, to a form that the search names so. Raises SystemExit for another name."""
    if form == LINEAR:
        return []
    plain = list(chains(layers, both=True))
    plain += [with_small_embeddings(chain) for chain in plain if chain.form[0] == "compress.int8"]
    cascades = [behind_static(chain, share) for chain in plain if chain.layers for share in AGREEMENTS]
    known = {chain.title: chain for chain in [*plain, *cascades]}
    # Results from before the titles said "agreement".
    known |= {title.replace("agreement", "alike"): chain for title, chain in known.items()}
    if form not in known:
        raise SystemExit(f"no form `{form}`; there are: {', '.join(known)}")
    return [{step.name: step.options.model_dump(mode="json", exclude_unset=True)} for step in known[form].steps]


def deal(data: Prepared, folds: int) -> list[list[Row]]:
    """All rows of the tables, in so many folds with the same shares of each label."""
    found: list[list[Row]] = [[] for _ in range(folds)]
    tables = data.train, data.validation, data.calibration, data.test
    rows = [(label, text) for table in tables for label, text in zip(table.labels or (), table.texts, strict=True)]
    for place, (label, text) in enumerate(sorted(rows, key=lambda row: (row[0], unit_hash(row[1])))):
        found[place % folds].append({"text": text, "label": label})
    return found


def recipe_of(
    recipe: Path,
    folds: list[list[Row]],
    fold: int,
    steps: list[Row],
    folder: Path,
    gates: Mapping[str, Any] = speed.GATES["claim"],
) -> Path:
    """A recipe of the spine, with one fold as its test file and the others to learn from."""
    yaml = YAML(typ="safe", pure=True)
    tree = yaml.load(recipe.read_text(encoding="utf-8"))
    rest = [row for place, rows in enumerate(folds) for row in rows if place != fold]
    for name, rows in (("train", rest), ("test", folds[fold])):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    files = {name: str((folder / f"{name}.jsonl").resolve()) for name in ("train", "test")}
    tree["data"] = {"files": files, "text": "text", "label": "label"}
    tree["steps"] = [step for step in tree["steps"] if "tune.full" in step] + steps
    tree["gates"] = dict(gates)
    path = folder / "recipe.yaml"
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)
    load_recipe(path)
    return path


def answers(recipe: Path, out: Path, report: Row, form: str, labels: Sequence[str]) -> Row:
    """What the teacher and the form say of the fold's rows, as positions in `labels`, beside the truth."""
    file = load_recipe(recipe)
    data = prepare(file, reader_of(file), Silent())
    artifacts = speed.cached(out)
    last = [one for one in report["variants"] if (one["name"] == LINEAR) == (form == LINEAR)][-1]
    teacher = next(one for one in artifacts.values() if one.card.method == "tune.full")
    said = {"truth": list(data.test.labels or ())}
    for name, artifact in (("teacher", teacher), ("student", artifacts[last["artifact"]])):
        session = open_session(artifact, threads=file.recipe.threads or cores())
        said[name] = [as_kind(one.answer, Choice).top()[0] for one in session.predict(list(data.test.texts))]
    return {name: encode_labels(each, labels).tolist() for name, each in said.items()}


def pooled(rows: list[Row]) -> Paired:
    """The share of the teachers' macro-F1 that the forms keep over the rows of these folds, with its bounds.

    Over the labels that have enough rows in the whole set, though a fold may hold only some of them.
    """
    labels = rows[0]["labels"]
    task = task_over(labels, rows[0]["over"])
    said = {name: [labels[place] for row in rows for place in row[name]] for name in ("truth", "student", "teacher")}
    student, teacher = (counts_of(task, said[name], said["truth"]) for name in ("student", "teacher"))
    return paired_ratio(student, teacher, macro_f1(task))


def told(kept: Paired) -> str:
    """A share with its one-sided 95 % bound, in words."""
    return f"{100 * kept.value:.1f} % (≥ {100 * kept.lower:.1f} %)"


def by_label(rows: list[Row]) -> list[str]:
    """Accuracy over these folds, and F1 of each label, the rarest first, as a table in Markdown.

    Of more than MANY labels, those that lose the most, as many.
    """
    labels = rows[0]["labels"]
    truth, student, teacher = (np.concatenate([row[name] for row in rows]) for name in ("truth", "student", "teacher"))
    scores = [f1_by_label(confusion(truth, each, len(labels))) for each in (teacher, student)]
    counts = np.bincount(truth, minlength=len(labels))
    order = np.argsort(counts, kind="stable")
    if len(labels) > MANY:
        order = np.argsort(scores[1] - scores[0], kind="stable")[:MANY]
    return [
        "| label | rows | F1, teacher | F1, form |",
        "|---|---|---|---|",
        f"| all: accuracy | {len(truth):,} | {accuracy(truth, teacher):.3f} | {accuracy(truth, student):.3f} |",
        *(
            f"| {labels[place]} | {counts[place]:,} | {scores[0][place]:.3f} | {scores[1][place]:.3f} |"
            for place in order
        ),
    ]


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--base", choices=("mini", "e5"), default="e5", help="what the teacher is tuned from")
    parser.add_argument("--rows", type=int, default=0, help="rows to take; 0: all")
    parser.add_argument("--folds", type=int, default=3, help="how many, from 2")
    parser.add_argument("--form", help="the search's name of a form; default: what bench/speed.py tested last")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    base, tune = base_named(arguments.base, arguments.models), TUNE[arguments.base]
    for name in arguments.set or SETS:
        run = {"set": name, "base": arguments.base, "rows": arguments.rows}
        before = [row for row in read_results(speed.RESULTS) if row["gates"] == "claim" and run.items() <= row.items()]
        form = arguments.form or (before[-1]["tested"] if before else None)
        if form is None:
            raise SystemExit(f"{name}: bench/speed.py has not run on it with these options: say which --form")
        steps = steps_of(form, depth_of(open_base(base, arguments.out)))
        key = digest([key_of(name, base, arguments.rows, 0, tune, steps), arguments.folds])
        done = {row["fold"] for row in read_results(arguments.results) if row["key"] == key}
        folder = arguments.out / f"folds-{name}-{arguments.base}-{key[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        recipe = write_recipe(name, base, arguments.rows, 0, arguments.data, folder, tune=tune)
        data = prepare(load_recipe(recipe), reader_of(load_recipe(recipe)), Silent())
        folds = deal(data, arguments.folds)
        for fold in sorted(set(range(arguments.folds)) - done):
            inside = folder / str(fold)
            inside.mkdir(exist_ok=True)
            one = recipe_of(recipe, folds, fold, steps, inside)
            _, seconds, report = run_one(one, inside / "out", inside / "log.txt")
            row = run | {"key": key, "form": form, "tune": tune, "folds": arguments.folds, "fold": fold}
            row |= {"seconds": round(seconds, 1), "labels": data.labels}
            row["over"] = promised_labels(data)
            row |= answers(one, inside / "out", report, form, data.labels)
            append(arguments.results, row)
            print(f"{name}, fold {fold + 1} of {arguments.folds}: {told(pooled([row]))}", flush=True)
        rows = [row for row in read_results(arguments.results) if row["key"] == key]
        print(f"{name}, {form}, all folds: {told(pooled(rows))}", *by_label(rows), sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
