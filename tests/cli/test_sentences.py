"""Every sentence that a person may read has a Chinese form; what has none is listed here, with the reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from tests.cli.compositions import compositions, samples
from tests.cli.sentences import WORDS, sentences, shape

from penjing.cli.help import paragraphs
from penjing.cli.main import app
from penjing.core.chinese import chinese, chinese_word, choices, read_tables

HAN = re.compile("[\u4e00-\u9fff]")
# Pages, files and languages other than English.
CODE = re.compile(r"^(<|CREATE |PRAGMA |SELECT |BEFORE |UPDATE |curl |-H |pip |GET |content-)|^[\W\d_]*$")
# Whole files whose strings no person reads as a message of a command.
SILENT = {
    "report/charts.py": "classes of a drawing",
    "report/search_charts.py": "classes of a drawing",
    "explain/why.py": "sentences that have words of their own in both languages",
    "report/grown.py": "a page that has words of its own in both languages",
    "report/item_part.py": "sentences that have words of their own in both languages",
    "report/label_part.py": "sentences that have words of their own in both languages",
    "report/retained_part.py": "sentences that have words of their own in both languages",
    "report/robust_block.py": "sentences that have words of their own in both languages",
    "report/scope_part.py": "sentences that have words of their own in both languages",
    "data/corpus/language.py": "frequent words of languages",
    "decide/keywords.py": "keywords of a rules file, in both languages",
    "serve/openapi.py": "the description of the interface is in English for every client",
    "serve/log.py": "log lines",
    "serve/early.py": "pieces of HTTP",
    "text/passage_units.py": "words that ask",
    "measure/power_law.py": "faults of a program, not of its user",
    "runtime/choose_texts.py": "faults of a program, not of its user",
    "tasks/calibrate.py": "faults of a program, not of its user",
    "tasks/flags.py": "faults of a program, not of its user",
    "store/migrations/versions/0001_first.py": "SQL",
    "store/migrations/versions/0003_chain.py": "SQL",
}
# Shapes of single strings.
EXCEPTIONS: dict[str, frozenset[str]] = {
    "pieces of a sentence that is translated as a whole": frozenset({
        ", and {} more",
        ", in {} more cases too",
        "all of",
        "all {}",
        "and {} others",
        ", {} of the peak",
        ", {} tokens/s{}",
        ", or",
        ", where the text holds none of the phrases",
        "/{}, {} left",
        ": {}",
        "; {}",
        "{} ends before its start",
        "{} is `{}` in the text, but `{}` in the annotation",
        "{} is not within the text, which has {} characters",
        "; the first: {}",
        "`outcome {LABEL|VALUE}`, `review`, `review QUEUE` or `model`",
        "; about {} test rows are needed to decide",
        ", of about {} labelled rows in all",
        "`{} {}`",
        "`{}` ({}:{}): {}",
        "`{}` {}",
        "about",
        "at most {}%",
        "audit",
        "audit entry",
        "case for review of the decision",
        "chain",
        "{layers: 3, learning_rate: 3.0e-4}",
        "epochs: {}",
        "max_tokens: {}",
        "{type: classify}",
        "the earlier release",
        "this release",
        "earlier test rows",
        "test rows",
        "{type: score}",
        "{type: answer}",
        "{type: tag}",
        "{type: together}",
        "{}: {type: {}, label: {}}",
        "{type: together, tasks: {{}}}",
        ", separator: {}",
        "{type: several}",
        "{type: match}",
        "{type: relate}",
        "{type: nearest}",
        "Place of the right entry",
        "- : not among those that are listed",
        "Entries taken for others",
        "right entry",
        "{type: triples}",
        "Each label: found and rightly given",
        "Precision: the share of the texts with this answer that are right; beside it what the model expected. "
        "Recall: the share of the texts with this label that were found. With fewer than 30 rows all are rough.",
        "Labels by their probability",
        "Each pair of a text and a label counts once. Good probabilities: the last two columns agree.",
        "Labels taken together",
        "How many texts have both labels, how many were given both, and how many of these rightly.",
        "Labels that were missed, and what was given instead",
        "Each row counts texts: the first label is true and was not given, the second was given and is not true. "
        "A text with several such labels counts for each pair of them.",
        "given instead",
        "given from",
        "have the label",
        "have both",
        "given both",
        "rightly both",
        "the field `label`",
        "Which labels are taken for which",
        "Which grades are taken for which",
        "Error and coverage by true value",
        "date of the erasure of the decision",
        "did you",
        "end of the run",
        "from {} to {}",
        "last start of the release",
        "of at least {} character{|s}",
        "of {} to {} characters",
        "one of them",
        "or gb18030",
        "penjing: {}",
        "release     {}",
        "revocation of the key",
        "row of the run",
        "text fields evidence reviewer note",
        "{} ref keep",
        "case data",
        "caller's data of the decision",
        "text of the waiting decision",
        "waiting text",
        "{} It is [MASK].",
        "together decide",
        "verdict on the decision",
        "write {} {}",
        "writers",
        "{}  {}",
        "{} {} {} more",
        "{} {}: {}",
        "{}: {}: {}",
        "{}: {}",
        "{}: {} ({})",
        "{}row{|s} {}",
    }),
    "texts, names and marks of other programs that are looked for": frozenset({
        "(?:not )?\\S+(?: all)?",
        "Input should be",
        "Value error,",
        "already exists",
        "and no",
        "cannot allocate memory",
        "cannot be opened",
        "did you mean",
        "disk i/o error",
        "disk is full",
        "end of data",
        "equal to",
        "failed to allocate memory",
        "fewer than",
        "greater than",
        "has no column",
        "is busy",
        "is locked",
        "it must be",
        "model name",
        "newer form",
        "no less than",
        "no more than",
        "no such column",
        "no such table",
        "not a database",
        "not enough memory",
        "not less than",
        "not more than",
        "noto sans cjk",
        "noto serif cjk",
        "out of memory",
        "queuepool limit",
        "readonly database",
        "run end",
        "run row",
        "source han",
        "unable to open",
        "unique constraint",
        "unknown key",
        "up to",
    }),
    "keywords of a rules file": frozenset({
        "rule priority",
        "contains all",
        "no rule",
        "not after",
        "not before",
        "not contains",
        "not contains all",
        "not empty",
        "not ends",
        "not in",
        "not matches",
        "not starts",
        "not {}",
        "{} all",
        "earlier than",
        "later than",
    }),
    "content of files, keys of JSON, log lines": frozenset({
        "no relation",
        "$ penjing replay {}",
        "(n{} or {})",
        ", {} {}",
        "- compress.int8: {}",
        "- {}: {{}}",
        "- tune.full: {}",
        "Bearer {}",
        "Decides texts with one sealed release; every decision is recorded and can be replayed.",
        "How do I change the address on my card?",
        "SIGHUP does nothing here: keys are read every second, all else at a start; SIGTERM stops the service",
        "The delivery was late and the box was damaged; I want my money back.",
        "a batch has at least one piece",
        "an offset of more than 59 minutes: {}",
        "penjing amend",
        "penjing corpus build",
        "penjing grow",
        "penjing make",
        "penjing tokenizer train",
        "there is no document {}",
        "[-0-9](?:[-0-9.,  …]*[0-9…])?(?: to [0-9]+)?",
        "another form",
        "base: auto",
        "chain head",
        "command: {}",
        "compress.cascade: fold",
        "compress.static: part",
        "data that cannot be read is a fault",
        "decide: {{max_error: {}, rules: rules.csv, audit: 0.01}}",
        "files: reviews.csv",
        "files: {}",
        "free entry! call now to claim your prize",
        "gates: {{keep: 0.97, p99_ms: {}, size_mb: {}, unproven: allow}}",
        "contains an identity card number",
        "jieba {} {}",
        "key created",
        "key revoked",
        "label: label",
        "labels: {{}}",
        "language: zh",
        "least share of early-exit texts with the teacher's answer, and least macro-F1 of all answers compared with the teacher's",  # noqa: E501
        "module 'penjing' has no attribute {}",
        "name: demo-reviews",
        "name: {}",
        "numpy {}",
        "onnxruntime on {}",
        "penjing about",
        "penjing {}, Python {}, {}",
        "reviews imported",
        "task: {{type: classify}}",
        "text: text",
        "texts for each train text with some words replaced by near ones, labelled by the teacher",
        "the engine that serves; auto: openvino on a CPU with VNNI or AMX, else onnx, the faster one on each",
        "the key %s is not as the signed chain has it, and opens nothing: see `penjing verify`",
        "the release in service",
        "truth {} and guess {} must be one-dimensional and of one length",
        "two systems can't be compared on no rows",
        "whether the model file is stored in gzip: smaller after `compress.magnitude`, and a little slower to open",
        "{epochs: 2, learning_rate: 3.0e-4, layers: 2, max_tokens: 64}",
        "{}  {}: {}",
        "{} in [{}]",
        "{} {} on {}",
        "{} {} {}",
        "{}{| } {}",
    }),
}  # fmt: skip


def _shapes() -> dict[str, str]:
    return {shape(each): form for _, english, form in read_tables() for each in choices(english)}


def test_every_sentence_of_the_source_has_a_chinese_form() -> None:
    known = _shapes()
    spared = frozenset[str]().union(*EXCEPTIONS.values())
    missing = [
        f"{each.file}:{each.line}: {each.text}"
        for each in sentences()
        if each.file not in SILENT and not CODE.match(each.text)
        if not {shape(each.text), *map(shape, choices(each.text))} & spared
        if not all(shape(one) in known for one in choices(each.text))
    ]
    assert missing == [], "add their Chinese to src/penjing/core/zh/, or an exception with its reason"


# Two words in a row that are in no quotes, no path and no command.
NOT_WORDS = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"|penjing( -*[a-z]+)+|pip install|Traceback")
RUN = re.compile(r"(?<![\w/.\\=_-])[a-z]{2,}(?: [a-z]{2,})+(?![\w/=_.\\-])")
# Pieces that are translated with the sentence that they are in, and pieces of files.
PIECES = frozenset({
    ", {} tokens/s, {} of the peak",
    "of at least {} character",
    "of at least {} characters",
    "{}, or unset PENJING_{}",
    "logits hold a value that is not finite",
    "header: {} # the row of the header",
    "sheet: {} # of the workbook",
    "separator: {} # what is between the labels of a cell",
    "other: {} # the column of the second texts",
    "head: {} # the column of the first entity",
    "tail: {} # the column of the second entity",
    "question: {} # the column of the questions about the texts",
    "format: {} # texts whose pieces have labels",
    "columns: [{}] # the file has no header",
    "`{}` does not support the task {}: it needs",
})  # fmt: skip


def english_words(text: str) -> str:
    """The first words of a text that are English, of a sentence of the program; else nothing."""
    found = RUN.search(NOT_WORDS.sub("`", text))
    return found[0] if found else ""


def test_no_sentence_is_half_translated() -> None:
    """Every sentence, put together from the pieces of its function, with sample values: all of it is Chinese.

    The test of single sentences cannot find this: there every piece has a form, but no form takes the whole.
    """
    spared = frozenset[str]().union(*EXCEPTIONS.values()) | PIECES
    half, seen = [], set(spared)
    for each in compositions():
        form = shape(each.text)
        if form in seen or each.file in SILENT or CODE.match(each.text) or not WORDS.search(each.text):
            continue
        seen.add(form)
        shown = (said for text in samples(each.text) for said in (chinese(text), chinese_word(text)))
        if all(map(english_words, shown)):
            half.append(f"{each.file}:{each.line}: {each.text} -> {chinese(samples(each.text)[0])}")
    assert half == [], "add a form for the whole, or mark a part as translated: `{part*}`"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("字段 `涉及金额` 是 empty in 25 of 298", "empty in"),
        ("这列叫 `is not here`，见 /a/not here", ""),
        ("下一步：penjing serve out/release", ""),
        ("无法读取 other rows that", "other rows that"),
    ],
)
def test_english_words_are_found(text: str, words: str) -> None:
    assert english_words(text) == words


REAL = json.loads((Path(__file__).parent / "real_sentences.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("english", sorted(REAL))
def test_a_sentence_as_a_command_printed_it(english: str) -> None:
    """Kept as they were printed, where the Chinese of an earlier version was wrong."""
    assert chinese(english) == REAL[english]
    assert not english_words(REAL[english])


def test_no_exception_is_left_over() -> None:
    shapes = {one for each in sentences() for one in (shape(each.text), *map(shape, choices(each.text)))}
    assert frozenset[str]().union(*EXCEPTIONS.values()) <= shapes
    assert {shape(each.text) for each in compositions()} >= PIECES
    assert SILENT.keys() <= {each.file for each in sentences()}


def _helps(command: Any) -> Iterator[str]:
    for text in (command.help, command.epilog, *(getattr(param, "help", None) for param in command.params)):
        yield from paragraphs(text or "")
    for each in getattr(command, "commands", {}).values():
        yield from _helps(each)


def test_every_help_text_has_a_chinese_form() -> None:
    assert [text for text in _helps(typer.main.get_command(app)) if chinese(text) == text] == []


def test_every_table_names_the_same_parts_in_both_languages() -> None:
    for _, english, form in read_tables():
        names = set(re.findall(r"\{(\w+)\*?\}", english))
        assert {*re.findall(r"\{(\w+)\*?\}", form)} <= names, english


def test_no_sentence_has_two_forms() -> None:
    seen: dict[tuple[str, str], str] = {}
    for section, english, form in read_tables():
        for each in choices(english):
            # Comparisons are joined by other words than numbers are, and nothing else is taken for one.
            plain = (section, re.sub(r"\{(?!compared)(\w+)\*?\}", "{}", each))
            said = re.sub(r"\{\w+\*?\}", "{}", form)
            assert seen.setdefault(plain, said) == said, english


VALUES = {"compared": "x >= 0.6", "compared2": "x <= 0.8", "numbered": "3 (a)"}
VALUES |= {"ticked": "`x1`", "quoted": "'x1'", "ticks": "`x1`, `x2`", "fact": "x.1", "facts": "`x.1`", "masked": "x1"}
COUNTS = ("rows", "count", "number", "total", "least", "cut", "seconds", "done")


@pytest.mark.parametrize("section", ["lines", "words"])
def test_every_sentence_is_found_by_its_own_form(section: str) -> None:
    """With any values: no other sentence may take it."""
    wrong = []
    for name, english, form in read_tables():
        if name != section:
            continue
        for each in choices(english):
            values = {part: VALUES.get(part, "7" if part in COUNTS else "x-1") for part in re.findall(r"\{(\w+)", each)}
            text = re.sub(r"\{(\w+)\*?\}", lambda found, given=values: given[found[1]], each)
            wanted = re.sub(r"\{(\w+)\*?\}", lambda found, given=values: given[found[1]], form)
            shown = chinese(text) if name == "lines" else chinese_word(text)
            # Names in backticks get the comma of a Chinese list.
            wanted = wanted.replace("`, `", "`、`")
            found, own, same = (re.sub(r"\s", "", one) for one in (shown, wanted, text))
            # A sentence whose parts are sentences may stay as it is where those of the test are none.
            if found not in (own, same) or (found == same and "*}" not in each and HAN.search(form)):
                wrong.append((text, shown, wanted))
    assert wrong == []
