"""The rival of `why.py`: scikit-learn behind FastAPI, as an engineer writes it in a day.

    MODEL=model.pickle python -m uvicorn rival_app:app            # the service
    python bench/rival_app.py MODEL TEXTS [--alone]               # a probability a line, as hexadecimal numbers

Words and pairs of words (jieba for Chinese) by TF-IDF, a logistic regression whose C is chosen by cross-validation, and
one threshold: the least one above which at most `limit` of the validation rows are wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from fastapi import FastAPI
from pydantic import BaseModel
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

Rows = Sequence[tuple[str, str]]


@dataclass
class Model:
    """A fitted pipeline, its labels, and the threshold of its probabilities."""

    pipeline: Any
    labels: list[str]
    threshold: float


class Case(BaseModel):
    """A request."""

    text: str


def chinese(text: str) -> list[str]:
    """The words of a Chinese text."""
    import jieba

    return list(jieba.cut(text))


def fit(train: Rows, validation: Rows, language: str, limit: float, seed: int = 0) -> Model:
    """A model of these rows."""
    words = {"tokenizer": chinese, "token_pattern": None} if language == "zh" else {}
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, **words)
    pipeline = make_pipeline(vectorizer, LogisticRegression(max_iter=1000, random_state=seed))
    search = GridSearchCV(pipeline, {"logisticregression__C": [1.0, 4.0, 16.0, 64.0]}, cv=3, scoring="f1_macro")
    search.fit([text for text, _ in train], [label for _, label in train])
    labels = [str(label) for label in search.best_estimator_.classes_]
    p = search.best_estimator_.predict_proba([text for text, _ in validation])
    wrong = np.array([labels[best] for best in p.argmax(1)]) != np.array([label for _, label in validation])
    return Model(search.best_estimator_, labels, least_threshold(p.max(1), wrong, limit))


def least_threshold(p: npt.NDArray[np.float64], wrong: npt.NDArray[np.bool_], limit: float) -> float:
    """The least threshold above which at most `limit` of these rows are wrong; infinite where there is none.

    p: the probability of each row's answer, (rows,); wrong: whether it is wrong, (rows,).
    """
    order = np.argsort(-p, kind="stable")
    ends = np.append(np.diff(p[order]) != 0, True)  # rows of one probability are taken together
    fine = (np.cumsum(wrong[order]) <= limit * np.arange(1, len(p) + 1)) & ends
    return float(p[order][np.flatnonzero(fine)[-1]]) if fine.any() else float("inf")


def load(path: Path) -> Model:
    """A model that `why.py` wrote: a pickle, which is only opened by who made it."""
    found: Model = pickle.loads(path.read_bytes())
    return found


def decide(model: Model, text: str) -> dict[str, Any]:
    """What the service answers."""
    p = model.pipeline.predict_proba([text])[0]
    best = int(p.argmax())
    sure = bool(p[best] >= model.threshold)
    return {"label": model.labels[best], "p": float(p[best]), "route": "automatic" if sure else "review"}


def service(model: Model) -> FastAPI:
    """The application."""
    made = FastAPI()

    @made.post("/v1/decide")
    def answer(case: Case) -> dict[str, Any]:
        return decide(model, case.text)

    return made


def main() -> None:
    """Print the probabilities of the texts of a file, one JSON string a line: all at once, or one at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--alone", action="store_true")
    given = parser.parse_args()
    model = load(given.model)
    texts = [json.loads(line) for line in given.texts.read_text(encoding="utf-8").splitlines()]
    batches = [[text] for text in texts] if given.alone else [texts]
    for batch in batches:
        for row in model.pipeline.predict_proba(batch):
            print(" ".join(float(p).hex() for p in row))


if __name__ != "__main__" and "MODEL" in os.environ:
    app = service(load(Path(os.environ["MODEL"])))
elif __name__ == "__main__":
    main()
