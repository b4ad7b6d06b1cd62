"""Penjing: from labelled texts and written rules to one sealed, offline, replayable decision service.

    from penjing import Decider, Request, make_release, open_release

    made = make_release("my-service/recipe.yaml", "my-service/out")     # needs the extra `train`
    decider = Decider(open_release("my-service/out/release"))
    for decided in decider.decide([Request("Win a prize now!")]):
        print(decided.decision.outcome, decided.decision.route, decided.decision.fired)

A path is text or a pathlib.Path. Whatever can go wrong is a PenjingError that says what happened, where, and what to
do. The command line is `penjing help`; the pages are in docs/.
"""

from __future__ import annotations

import importlib
from typing import Any

# Names are loaded when first used, so that the Counter never pays for the workshop.
_PUBLIC = {
    "Artifact": "penjing.core.nouns",
    "Decider": "penjing.decide.decider",
    "Decision": "penjing.core.nouns",
    "PenjingError": "penjing.core.errors",
    "Prediction": "penjing.core.nouns",
    "Recipe": "penjing.core.recipe",
    "Release": "penjing.core.nouns",
    "Request": "penjing.decide.decider",
    "Table": "penjing.core.nouns",
    "load_recipe": "penjing.core.recipe",
    "make_release": "penjing.make.run",
    "open_artifact": "penjing.core.artifact",
    "open_release": "penjing.core.artifact",
    "open_session": "penjing.runtime.open",
}

__version__ = "0.1.0"
__all__ = sorted(_PUBLIC)


def __dir__() -> list[str]:
    return sorted({*(name for name in globals() if name.startswith("__")), *_PUBLIC})


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'penjing' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
