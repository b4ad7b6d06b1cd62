"""`penjing tokenizer`: train a tokenizer on texts, and compare tokenizers on texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penjing.cli.command import App

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from penjing.cli.show import Bar
    from penjing.text.tokenizer_report import Text

_COLUMN = 14
_FEW_TEXTS = 100


def register(app: typer.Typer) -> None:
    """Add the group `tokenizer`."""
    group = App(help="Train a tokenizer on your texts, and compare tokenizers.", no_args_is_help=True)
    group.command("train")(train)
    group.command("report")(report)
    app.add_typer(group, name="tokenizer")


def train(
    sources: Annotated[
        list[str], typer.Argument(help="a folder of `penjing corpus build`, or files of texts; several may be given")
    ],
    out: Annotated[Path, typer.Option("--out", help="the new folder of the tokenizer")],
    kind: Annotated[str, typer.Option(help="unigram, bpe or wordpiece")] = "unigram",
    entries: Annotated[
        int, typer.Option(min=512, max=200_000, help="entries of the vocabulary, special tokens included")
    ] = 8000,
    normalization: Annotated[
        str, typer.Option(help="nfkc: full-width and half-width forms are the same; nfc: they are kept apart")
    ] = "nfkc",
    coverage: Annotated[
        float, typer.Option(help="share of the characters of the texts that must have entries of their own")
    ] = 0.9995,
    sentinels: Annotated[
        int, typer.Option(min=0, max=1000, help="tokens for left-out spans, for models that fill them in")
    ] = 0,
    characters: Annotated[
        int, typer.Option(min=1000, help="the most characters of text to train on: a fixed sample")
    ] = 10_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="print as JSON")] = False,
) -> None:
    """Train a tokenizer for Chinese and English in which no character is unknown; the same texts give the same bytes.

    Texts of files are cleaned and masked first, as in training and serving; those of a corpus are already.
    """
    from pydantic import ValidationError

    from penjing.cli.show import Bar, out_json, tell
    from penjing.core.errors import UsageError
    from penjing.core.folder import check_place
    from penjing.core.options import explain
    from penjing.core.paths import local_path
    from penjing.text.tokenizer_folder import TOKENIZER_CARD, write_tokenizer
    from penjing.text.tokenizer_training import TokenizerOptions, sample, train_on

    given = {"kind": kind, "entries": entries, "normalization": normalization, "coverage": coverage}
    try:
        options = TokenizerOptions.model_validate(given | {"sentinels": sentinels, "characters": characters})
    except ValidationError as error:
        path, what, fix = explain(error, TokenizerOptions)[0]
        raise UsageError(what, where=f"--{path[0]}", fix=fix) from None
    check_place(local_path(out), "penjing tokenizer train", TOKENIZER_CARD)
    with Bar() as bar:
        bar.start("reading texts", None)
        cards: list[dict[str, Any]] = []
        chosen = sample((each.text for each in _texts(sources, bar, cards)), options.characters)
        tokenizer = train_on(chosen, options, _Steps(bar))
    card = write_tokenizer(local_path(out), tokenizer, options, chosen, cards)
    if card["entries"] < options.entries:
        tell(f"the texts hold fewer pieces than asked for: {card['entries']:,} entries")
    if as_json:
        out_json({"out": str(out), **card})
    else:
        _print_card(card, out)


def report(
    tokenizers: Annotated[
        list[str], typer.Argument(help="folders with a tokenizer.json, or shipped bases such as penjing/mini")
    ],
    texts: Annotated[
        list[str], typer.Option("--texts", help="a folder of `penjing corpus build`, or a file; may be repeated")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="print as JSON")] = False,
) -> None:
    """Compare tokenizers on the same texts: tokens a character, characters without entries, entries never used.

    Of a corpus the held-out part is read. Texts of files are cleaned and masked first.
    """
    from penjing.cli.show import Bar, out_json
    from penjing.text.tokenizer_report import report as compare

    opened = [(name, _open(name)) for name in tokenizers]
    with Bar() as bar:
        bar.start("counting tokens", None)
        found = compare(opened, _texts(texts, bar, [], part="held_out"))
    if as_json:
        out_json(found)
    else:
        _print(found)


class _Steps:
    """Shows each piece of work of the training once."""

    def __init__(self, bar: Bar) -> None:
        self._bar, self._now = bar, ""

    def __call__(self, name: str) -> None:
        if name != self._now:
            self._now = name
            self._bar.start(name, None)
        self._bar.advance()


def _texts(sources: Sequence[str], bar: Bar, cards: list[dict[str, Any]], part: str = "train") -> Iterator[Text]:
    """Masked texts of all sources; `cards` gets what each source is, when it was read."""
    from penjing.core.paths import local_path
    from penjing.data.corpus.folder import open_corpus
    from penjing.text.tokenizer_report import Text

    for source in sources:
        if not local_path(source).is_dir():
            yield from _file_texts(source, bar, cards)
            continue
        corpus = open_corpus(source)
        for domain in corpus.domains:
            for where, text in corpus.located("train" if part == "train" else "held_out", domain):
                yield Text(text, domain, where)
                bar.advance()
        cards.append({"corpus": corpus.id})


def _file_texts(source: str, bar: Bar, cards: list[dict[str, Any]]) -> Iterator[Text]:
    from penjing.cli.show import tell
    from penjing.cli.texts import read_texts
    from penjing.core.errors import RequestError
    from penjing.data.cells import Fault
    from penjing.data.mask import VERSION, open_masking
    from penjing.data.read import Reading
    from penjing.text.tokenizer_report import Text

    masking = open_masking(VERSION)
    path = Path(source)
    plain = path.name.removesuffix(".gz").endswith((".txt", ".md", ".text"))
    faults: list[Fault] = []
    read = skipped = 0
    for number, raw, _ in read_texts(source, None, reading=Reading(lines=plain), faults=faults, notify=tell):
        bar.advance()
        try:
            text = masking.prepare(raw).text
        except RequestError:
            skipped += 1
            continue
        if text:
            read += 1
            yield Text(text, path.name.split(".")[0], f"{source}:{number}")
    if skipped + len(faults):
        tell(f"{source}: {skipped + len(faults):,} texts could not be read and were left out")
    cards.append({"file": path.name, "texts": read, "masking": VERSION})


def _open(name: str) -> Tokenizer:
    from penjing.core.errors import UsageError
    from penjing.core.paths import local_path
    from penjing.model.base import open_base
    from penjing.text.tokens import TOKENIZER, open_tokenizer

    if name.startswith("penjing/"):
        return open_tokenizer(open_base(name, Path()).folder)
    folder = local_path(name)
    if not folder.is_dir():
        raise UsageError("no such folder", where=name, fix="give a folder with a tokenizer.json, or `penjing/mini`")
    if not (folder / TOKENIZER).is_file():
        raise UsageError(
            f"the folder has no {TOKENIZER}",
            where=name,
            fix="give a folder that `penjing tokenizer train` wrote, or one in Hugging Face form",
        )
    return open_tokenizer(folder)


def _print_card(card: dict[str, Any], out_path: Path) -> None:
    from penjing.cli.show import out

    sample = card["sample"]
    out(f"tokenizer   {out_path}")
    out(f"  kind      {card['kind']}, {card['entries']:,} entries")
    out(f"  texts     {sample['texts']:,} of {sample['given']:,}, {sample['characters']:,} characters")
    out(f"  words     {card['segmenter']}")


def _print(found: dict[str, Any]) -> None:
    from penjing.cli.language import translate_word
    from penjing.cli.show import out, tell

    texts, columns = found["texts"], found["tokenizers"]
    out(
        f"{texts['texts']:,} text{'s' * (texts['texts'] != 1)}, {texts['characters']:,} characters, "
        f"{texts['distinct_characters']:,} different characters"
    )
    if texts["texts"] < _FEW_TEXTS:
        tell(f"so few texts say little about a tokenizer: give {_FEW_TEXTS} or more")
    rows = [("", [_short(each["name"]) for each in columns])]

    def add(name: str, values: list[str]) -> None:
        rows.append((translate_word(name), values))

    add("kind", [each["kind"] for each in columns])
    add("entries", [f"{each['entries']:,}" for each in columns])
    add("tokens a character", [f"{each['tokens_per_character']:.3f}" for each in columns])
    for group in ("by_language", "by_domain"):
        for key in columns[0][group]:
            rows.append((f"  {key}", [f"{each[group][key]:.3f}" for each in columns]))
    add("unknown tokens", [f"{each['unknown']:.4%}" for each in columns])
    add("tokens that are bytes", [f"{each['bytes']:.4%}" for each in columns])
    for name, key in (
        ("GB 2312 level 1", "gb2312_1"),
        ("GB 2312 level 2", "gb2312_2"),
        ("characters of the texts", "occurring"),
        ("their occurrences", "occurrences"),
    ):
        add(name, [f"{each['coverage'][key]:.2%}" for each in columns])
    add("entries never used", [f"{each['unused']['share']:.1%}" for each in columns])
    for key in ("p50", "p99", "most"):
        add(f"tokens a text, {key}", [f"{each['lengths'][key]:.0f}" for each in columns])
    width = max(_columns(name) for name, _ in rows)
    for name, values in rows:
        out((name + " " * (width - _columns(name)) + "".join(f"{value:>{_COLUMN + 2}}" for value in values)).rstrip())
    for each in columns[0]["longest"]:
        out(f"longest: {each['where']}, {each['characters']:,} characters, {each['tokens']:,} tokens")


def _short(name: str) -> str:
    last = name.rstrip("/")
    last = last if last.startswith("penjing/") else last.rsplit("/", 1)[-1]
    return last if len(last) <= _COLUMN else last[: _COLUMN - 1] + "…"


def _columns(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)
