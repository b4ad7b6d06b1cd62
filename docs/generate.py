"""Writes into the pages what code and results already say: recipe keys, options, commands, exit codes, files, results.

Run `.venv/bin/python docs/generate.py` after changing one of these; tests/test_docs.py fails where a page is behind.
A generated part is between `<!-- generated: NAME -->` and `<!-- end -->`; the rest of a page is written by hand.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "src" / "penjing"
PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
ROOMS = {
    "": "the package",
    "core": "what every room uses: nouns, recipe, options, hashed folders, errors",
    "data": "from files to clean, masked, split tables; the Counter reads, cleans and masks by the same code",
    "tasks": "labels, probabilities and metrics in numpy",
    "model": "Hugging Face encoders in and out, with their heads",
    "text": "tokens, words, n-grams and TF-IDF, the same for training and for serving",
    "engines": "one file an engine behind one protocol, and the exporter",
    "runtime": "the session that evaluates and serves, the forms of two stages, and the one table that opens a form",
    "measure": "scores with bounds, calibration, latency, rivals, how many engines side by side",
    "train": "the one training loop, its batches, checkpoints and hooks",
    "pretrain": "objectives of pre-training on corpora, one file each; `parts/` is what they share",
    "tune": "methods that fit a model to labelled rows",
    "compress": "methods that make a model smaller or bring it into the form that serves; `parts/` is what they share",
    "prove": "promises tested with a bound, the certificate, the seal; no torch",
    "report": "what a run found: a typed contract, and a page",
    "make": "a recipe's whole way: plan, cache, forms and their choice, search, candidate",
    "decide": "rules over calibrated facts, policy; `first/` reads what was sealed with rules of edition 1",
    "explain": "the words that decided, and whether they truly did",
    "cases": "a recorded case: made, replayed, decided by another release",
    "store": "records, reviews, releases and keys in a database, with an audit chain",
    "serve": "the HTTP service",
    "cli": "one file for each command, thin over a callable",
}
HEADS = {
    "en": ("key", "value", "default", "what it is", "option", "code", "name", "what happened"),
    "zh": ("键", "取值", "默认", "含义", "选项", "退出码", "名称", "含义"),
}
TO = {"en": "to", "zh": "至"}
STEPS = {"en": "list of [steps](#steps)", "zh": "[步骤](#步骤)列表"}
# The parts of a recipe that have a table of their own.
NESTED = ("/TaskChoice", "/Data", "/Gates", "/Decide", "/Robustness", "/Continues", "/NetworkChoice")
COPIES = {"en": "[copies](fitting.md#augmentation)", "zh": "[副本](fitting.md#数据增强)"}
REQUIRED = {"en": "required", "zh": "必填"}
ENCODERS = {"en": "Every tuning of an encoder", "zh": "所有训练编码器的步骤共有"}
SHARED = {
    "en": "It has the options of [every tuning of an encoder](#every-tuning-of-an-encoder).",
    "zh": "它有[所有训练编码器的步骤共有](#所有训练编码器的步骤共有)的选项。",
}


def pages() -> list[Path]:
    """The pages that have generated parts."""
    return [path for path in sorted(DOCS.rglob("*.md")) if PART.search(path.read_text(encoding="utf-8"))]


def fill(path: Path) -> str:
    """The text of a page with its generated parts made anew."""
    language = "zh" if path.parent.name == "zh" else "en"
    text = path.read_text(encoding="utf-8")
    return PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]](language)}\n{found[3]}", text)


def files(_language: str) -> str:
    """Every source file with the first line of its docstring, by room."""
    lines: list[str] = []
    for room in (*ROOMS, *sorted(_rooms() - ROOMS.keys())):
        inside = sorted(path for path in SOURCE.rglob("*.py") if _room(path) == room and _says(path))
        if not inside:
            continue
        lines += ["", f"**{room or 'penjing'}**: {ROOMS.get(room, '')}", ""]
        lines += [f"- `{path.relative_to(SOURCE).as_posix()}` – {_says(path)}" for path in inside]
    return "\n".join(lines[1:]) + "\n"


def keys(language: str) -> str:
    """The keys of a recipe, part by part."""
    from penjing.core.recipe import Recipe

    schema = Recipe.model_json_schema()
    parts = schema["$defs"]
    lines: list[str] = []
    for title, model in (
        ("", schema),
        ("task", parts["TaskChoice"]),
        ("data", parts["Data"]),
        ("gates", parts["Gates"]),
        ("decide", parts["Decide"]),
        ("robustness", parts["Robustness"]),
        ("continues", parts["Continues"]),
    ):
        if title:
            lines += [f"### `{title}`", ""]
        lines += [*_table(model, parts, language, HEADS[language][0]), ""]
    return "\n".join(lines)


def methods(language: str) -> str:
    """Every method that a step may name, with its options; those that all tunings of an encoder share stand once."""
    from penjing.tune.options import TrainingOptions

    head, common = HEADS[language][4], TrainingOptions.model_json_schema()
    lines = [f"### {ENCODERS[language]}", "", *_table(common, common.get("$defs", {}), language, head), ""]
    for room in ("tune", "compress"):
        for name, dotted in importlib.import_module(f"penjing.{room}").METHODS.items():
            module = importlib.import_module(dotted)
            lines += [f"### `{room}.{name}`", "", translate(_first_line(module.__doc__), language), ""]
            schema = module.Options.model_json_schema()
            own = schema.get("properties", {})
            if issubclass(module.Options, TrainingOptions):
                lines += [SHARED[language], ""]
                own = {key: field for key, field in own.items() if common["properties"].get(key) != field}
            if own:
                lines += [*_table({**schema, "properties": own}, schema.get("$defs", {}), language, head), ""]
    return "\n".join(lines)


def copies(language: str) -> str:
    """The options of `augment`, which methods of tuning have."""
    from penjing.tune.augmented import EncoderCopies

    schema = EncoderCopies.model_json_schema()
    return "\n".join([*_table(schema, {}, language, HEADS[language][4]), ""])


def grow_keys(language: str) -> str:
    """The keys of a grow recipe."""
    from penjing.core.grow_recipe import GrowRecipe

    schema = GrowRecipe.model_json_schema()
    parts, head = schema["$defs"], HEADS[language][0]
    inside = ["### `network`", "", *_table(parts["NetworkChoice"], parts, language, head), ""]
    place = {"en": "all-objectives-and-their-options", "zh": "全部目标及其选项"}[language]
    table = [
        line.replace("(#steps)", f"(#{place})").replace("(#步骤)", f"(#{place})")
        for line in _table(schema, parts, language, head)
    ]
    return "\n".join([*table, "", *inside])


def objectives(language: str) -> str:
    """The options that every objective of pre-training has, and those of each."""
    from penjing.pretrain import METHODS
    from penjing.pretrain.parts.options import LoopOptions

    head = HEADS[language][4]
    common = LoopOptions.model_json_schema()
    title = {"en": "Every objective", "zh": "所有目标共有"}[language]
    lines = [f"### {title}", "", *_table(common, common.get("$defs", {}), language, head), ""]
    for name, dotted in METHODS.items():
        module = importlib.import_module(dotted)
        schema = module.Options.model_json_schema()
        own = {key: field for key, field in schema["properties"].items() if common["properties"].get(key) != field}
        lines += [f"### `pretrain.{name}`", "", translate(_first_line(module.__doc__), language), ""]
        if own:
            lines += [*_table({**schema, "properties": own}, schema.get("$defs", {}), language, head), ""]
    return "\n".join(lines)


def commands(language: str) -> str:
    """The help of every command in the page's language, as the terminal shows it at 100 columns."""
    import typer.main

    from penjing.cli.language import take_option
    from penjing.cli.main import app

    take_option(["--lang", language])

    lines: list[str] = []

    # Typer carries a click of its own, so that groups are known by what they have, not by their class.
    def add(command: Any, path: str, parent: Any) -> None:
        context = command.context_class(command, info_name=path.split()[-1], parent=parent, terminal_width=100)
        if hasattr(command, "commands"):
            for name in command.list_commands(context):
                add(command.commands[name], f"{path} {name}", context)
        else:
            help_text = "\n".join(line.rstrip() for line in command.get_help(context).strip().splitlines())
            lines.extend([f"### `{path}`", "", "```text", help_text, "```", ""])

    add(typer.main.get_command(app), "penjing", None)
    return "\n".join(lines)


def exit_codes(language: str) -> str:
    """What each exit code means, from the tree of errors."""
    import penjing.core.errors as errors

    found: dict[int, list[str]] = {0: [{"en": "it worked", "zh": "成功"}[language]]}
    for error in vars(errors).values():
        # A code is explained by the class that introduces it; the classes below it only say where.
        if isinstance(error, type) and issubclass(error, errors.PenjingError) and "exit_code" in vars(error):
            found.setdefault(error.exit_code, []).append(translate(_first_line(error.__doc__), language))
    found[1] = [{"en": "anything else, such as a full disk", "zh": "其他错误，例如磁盘已满"}[language]]
    head = HEADS[language]
    rows = [f"| {code} | {' '.join(found[code])} |" for code in sorted(found)]
    return "\n".join([f"| {head[5]} | {head[7]} |", "|---:|---|", *rows, ""])


def measured(language: str) -> str:
    """Every bench's section, from its results file."""
    sys.path.insert(0, str(DOCS.parent / "bench"))
    try:
        return str(importlib.import_module("measured_page").Page(language).text())
    finally:
        sys.path.pop(0)


def steadiness(language: str) -> str:
    """The table of the bench of steadier training."""
    sys.path.insert(0, str(DOCS.parent / "bench"))
    try:
        return str(importlib.import_module("steady_page").table(language))
    finally:
        sys.path.pop(0)


def why(part: str, language: str) -> str:
    """A table beside scikit-learn and FastAPI, or beside a large model."""
    sys.path.insert(0, str(DOCS.parent / "bench"))
    try:
        return str(importlib.import_module("why_page").text(part, language))
    finally:
        sys.path.pop(0)


PARTS: dict[str, Callable[[str], str]] = {
    "files": files,
    "keys": keys,
    "methods": methods,
    "copies": copies,
    "grow-keys": grow_keys,
    "objectives": objectives,
    "commands": commands,
    "exit-codes": exit_codes,
    "measured": measured,
    "steadiness": steadiness,
    **{f"why-{part}": partial(why, part) for part in ("errors", "service", "repeat")},
}


def translate(sentence: str, language: str) -> str:
    """A sentence of the code in the page's language; one without a translation stays English."""
    if language == "en":
        return sentence
    known = json.loads((DOCS / "zh" / "sentences.json").read_text(encoding="utf-8"))
    return str(known.get(sentence, sentence))


def _table(model: dict[str, Any], parts: dict[str, Any], language: str, first: str) -> list[str]:
    head = HEADS[language]
    lines = [f"| {first} | {head[1]} | {head[2]} | {head[3]} |", "|---|---|---|---|"]
    for name, field in model["properties"].items():
        nested = any(part in json.dumps(field) for part in NESTED)
        value = f"[{name}](#{name})" if nested else _value(field, parts, language)
        if name == "steps":
            value = STEPS[language]
        if any(f'/{part}"' in json.dumps(field) for part in ("Copies", "EncoderCopies")):
            value = COPIES[language]
        given = "" if nested and name != "data" else _default(name, field, model, language)
        lines.append(f"| `{name}` | {value} | {given} | {translate(field.get('description', ''), language)} |")
    return lines


def _default(name: str, field: dict[str, Any], model: dict[str, Any], language: str) -> str:
    if name in model.get("required", ()):
        return REQUIRED[language]
    return f"`{json.dumps(field['default'], ensure_ascii=False)}`" if "default" in field else ""


def _value(field: dict[str, Any], parts: dict[str, Any], language: str) -> str:
    words = {"en": (" or ", "list of ", "{}: {}"), "zh": (" 或 ", "列表：", "{}: {}")}[language]
    if "$ref" in field:
        return _value(parts[field["$ref"].split("/")[-1]], parts, language)
    if "anyOf" in field:
        return words[0].join(_value(one, parts, language) for one in field["anyOf"])
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return " ".join(f"`{one}`" for one in field["enum"])
    kind = field.get("type", "")
    if kind == "array":
        return words[1] + _value(field.get("items", {}), parts, language)
    if kind == "object":
        inner = field.get("additionalProperties")
        named = field.get("propertyNames", {}).get("enum")
        left = "/".join(named) if named else {"en": "name", "zh": "名称"}[language]
        return f"{left}: {_value(inner, parts, language)}" if isinstance(inner, dict) else left
    plain = {
        "string": {"en": "text", "zh": "文本"},
        "integer": {"en": "whole number", "zh": "整数"},
        "number": {"en": "number", "zh": "数"},
        "boolean": {"en": "`true` `false`", "zh": "`true` `false`"},
        "null": {"en": "`null`", "zh": "`null`"},
    }.get(kind, {"en": "options", "zh": "选项"})[language]
    return plain + _bounds(field, language)


def _bounds(field: dict[str, Any], language: str) -> str:
    if "minimum" in field and "maximum" in field:
        return f" {_number(field['minimum'])} {TO[language]} {_number(field['maximum'])}"
    signs = (("exclusiveMinimum", ">"), ("minimum", "≥"), ("exclusiveMaximum", "<"), ("maximum", "≤"))
    told = [f"{sign} {_number(field[name])}" for name, sign in signs if name in field]
    return " " + ", ".join(told) if told else ""


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _rooms() -> set[str]:
    return {_room(path) for path in SOURCE.rglob("*.py")}


def _room(path: Path) -> str:
    parts = path.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else ""


def _says(path: Path) -> str:
    return _first_line(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))))


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n\n")[0].split("\n")[0].strip()


def main() -> None:
    """Write the pages that are behind, and name them."""
    for path in pages():
        text = fill(path)
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(DOCS.parent)}\n")


if __name__ == "__main__":
    main()
