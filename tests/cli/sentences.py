"""Every English sentence in the source that a person may read, found by AST: the sentences that need a Chinese form.

A part that differs is `{name}`; one of several given words is `{is|are}`, where `{|s}` is a plural. Two parts that
differ side by side count as one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "penjing"
# What these write is for programs, for logs or for engineers; report pages have sentences of their own.
_SILENT = re.compile(
    r"(_?log(ger)?|_LOG|logging|_log)\.|warnings\.warn$|(re\.compile|_text|sql|text|DDL|Field|TypeError|AssertionError"
    r"|NotImplementedError|TypeVar|NewType|CheckConstraint|Setting|Counter|Gauge|Histogram)$"
)
WORDS = re.compile(r"[A-Za-z`'}\]),:;] +[a-zA-Z`{]{2,}")
# A call that says its first argument to a person: it is a sentence even of one word.
_SAYS = re.compile(r"\b(out|tell|say|notify|print_line|add_finding|start|fail|usage|translate)$")
_SAID = "\0"
_PART = re.compile(r"\{\w*\*?\}")


@dataclass(frozen=True)
class Sentence:
    """A sentence with its first place."""

    text: str
    file: str
    line: int


@cache
def sentences(source: Path = SOURCE) -> list[Sentence]:
    """The sentences of all files, each once."""
    found: dict[str, Sentence] = {}
    for path in sorted(source.rglob("*.py")):
        for number, text in _of_file(ast.parse(path.read_text(encoding="utf-8"))):
            for line in text.removeprefix(_SAID).split("\n"):
                each = line
                if "# " in line:  # of YAML the comment, in a text that is filled in later: braces are written twice
                    each = line.rsplit("# ", 1)[1].replace("{{", "{").replace("}}", "}")
                if WORDS.search(each) or (text.startswith(_SAID) and re.search("[A-Za-z]{3}", _PART.sub("", each))):
                    sentence = Sentence(each.strip(), path.relative_to(source).as_posix(), number)
                    found.setdefault(shape(sentence.text), sentence)
    return list(found.values())


def shape(text: str) -> str:
    """A sentence without the names of its parts: two are the same where their shapes are."""
    return re.sub(r"(\{\})+", "{}", _PART.sub("{}", text)).strip()


def _of_file(tree: ast.Module) -> Iterator[tuple[int, str]]:
    yield from _below(tree, constants_of(tree))


def constants_of(tree: ast.Module) -> dict[str, ast.expr]:
    """The texts that have a name in the file."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and is_text(node.value)
    }


def _below(node: ast.AST, constants: dict[str, ast.expr]) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Call) and _SILENT.search(ast.unparse(node.func)):
        return
    if isinstance(node, ast.Call) and _SAYS.search(ast.unparse(node.func)) and node.args and is_text(node.args[0]):
        for text in forms_of(node.args[0], constants):
            yield node.lineno, _SAID + _named(text)
    if isinstance(node, ast.expr) and is_text(node):
        for text in forms_of(node, constants):
            yield node.lineno, _named(text)
        inner = [each.value for each in ast.walk(node) if isinstance(each, ast.FormattedValue)]
        for value in inner:
            if not isinstance(value, ast.IfExp):
                yield from _below(value, constants)
        return
    for child in ast.iter_child_nodes(node):
        # A bare text is a docstring.
        if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
            yield from _below(child, constants)


def unsaid(function: ast.FunctionDef) -> Iterator[ast.expr]:
    """The texts in a function that no silent call takes and that are no part of another text, without docstrings."""
    waiting: list[ast.AST] = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call) and _SILENT.search(ast.unparse(node.func)):
            continue
        if isinstance(node, ast.expr) and is_text(node):
            yield node
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            waiting += ast.iter_child_nodes(node)


def is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return is_text(node.left) or is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def forms_of(node: ast.expr, constants: dict[str, ast.expr]) -> list[str]:
    """The texts that an expression may give, with its parts as `{name}`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        texts = [""]
        for value in node.values:
            part = value.value if isinstance(value, ast.FormattedValue) and value.format_spec is None else value
            texts = [before + after for before in texts for after in forms_of(part, constants)]
        return texts
    if isinstance(node, ast.FormattedValue):
        return [f"{{{_name(node.value)}}}"]
    if isinstance(node, ast.IfExp):
        both = (node.body, node.orelse)
        if all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in both):
            return ["{" + "|".join(sorted(str(each.value) for each in both if isinstance(each, ast.Constant))) + "}"]
        return [text for each in both for text in forms_of(each, constants)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [a + b for a in forms_of(node.left, constants) for b in forms_of(node.right, constants)]
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
        return ["{|" + node.left.value + "}"]
    if isinstance(node, ast.Name) and node.id in constants:
        return forms_of(constants[node.id], {})
    return [f"{{{_name(node)}}}"]


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "len":
        return "count"
    names = [each for each in re.findall(r"[A-Za-z]\w*", ast.unparse(node)) if not each.startswith("_")]
    return names[-1] if isinstance(node, ast.Attribute | ast.Name | ast.Subscript) and names else "value"


def _named(text: str) -> str:
    """The text with parts side by side as one, and every part under a name of its own."""
    seen: dict[str, int] = {}

    def one(found: re.Match[str]) -> str:
        name = found[0].rsplit("{", 1)[1].rstrip("}")
        seen[name] = seen.get(name, 0) + 1
        return f"{{{name}{seen[name] if seen[name] > 1 else ''}}}"

    return re.sub(r"(\{\w+\})+", one, text)
