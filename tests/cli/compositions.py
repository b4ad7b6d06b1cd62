"""Sentences of the source with the sentences that they are put together from, each with sample values, found by AST.

A part that is a variable of the function, or a call of a function of the file, is replaced by each text that it may be.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

from tests.cli.sentences import SOURCE, Sentence, constants_of, forms_of, is_text, unsaid

from penjing.core.chinese import choices

_PART = re.compile(r"\{(\w+)\*?\}")
_MOST = 48  # texts of one expression
_NUMERIC = re.compile(r"count|rows?|number|total|least|cut|seconds|done|limit|size|bytes|most|format|version", re.I)


@cache
def compositions(source: Path = SOURCE) -> list[Sentence]:
    """Every text of every file with one level of its parts put in; parts that are not known stay `{name}`."""
    return list(_of_files(source))


def _of_files(source: Path) -> Iterator[Sentence]:
    for path in sorted(source.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        returned = {
            node.name: [
                each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value is not None
            ]
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
        }
        said = {name: texts for name, values in returned.items() if (texts := [one for one in values if is_text(one)])}
        constants = constants_of(tree)
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                for line, text in _of_function(function, said, constants):
                    yield Sentence(text, path.relative_to(source).as_posix(), line)


def samples(text: str) -> list[str]:
    """The text with sample values: numbers where its names say so and words elsewhere, else words or numbers only."""
    mixed = _PART.sub(lambda found: "7" if _NUMERIC.search(found[1]) else "样本", text)
    ticked = _PART.sub(lambda found: "7" if _NUMERIC.search(found[1]) else "`样本`", text)
    return [mixed, ticked, *(_PART.sub(value, text) for value in ("7", "样本", "`样本`", "'样本'"))]


def _of_function(
    function: ast.FunctionDef, said: dict[str, list[ast.expr]], constants: dict[str, ast.expr]
) -> Iterator[tuple[int, str]]:
    known = _variables(function)
    for node in unsaid(function):
        whole = _Filled(known, said).visit(ast.parse(ast.unparse(node), mode="eval").body)
        for form in islice(forms_of(whole, constants), _MOST):
            for text in islice(choices(form), _MOST):
                for line in text.split("\n"):
                    yield node.lineno, line.strip()


def _variables(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    """The texts that are given to each variable; one that is added to another is a text of its own or nothing."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Name):
                pairs = [(target, value)]
            elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = [(one, other) for one, other in zip(target.elts, value.elts, strict=False)]
            else:
                pairs = []
            for name, text in pairs:
                if isinstance(name, ast.Name) and _may_be_text(text) and name.id not in _names(text):
                    found.setdefault(name.id, []).append(text)
    return found


def _may_be_text(node: ast.expr) -> bool:
    return is_text(node) or (isinstance(node, ast.IfExp) and _may_be_text(node.body) and _may_be_text(node.orelse))


def _names(node: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


class _Filled(ast.NodeTransformer):
    """Puts the known texts in the place of variables and calls."""

    def __init__(self, known: dict[str, list[ast.expr]], said: dict[str, list[ast.expr]]) -> None:
        self.known, self.said = known, said

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        value = node.value
        texts: list[ast.expr] = []
        if isinstance(value, ast.Name):
            texts = self.known.get(value.id, [])
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            texts = self.said.get(value.func.id, [])
        if not texts:
            return node
        node.value = texts[0]
        for each in texts[1:]:
            node.value = ast.IfExp(test=ast.Constant(True), body=node.value, orelse=each)
        return node
