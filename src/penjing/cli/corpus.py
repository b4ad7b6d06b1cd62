"""`penjing corpus`: build a corpus for pre-training from texts of many sources, and show one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from penjing.cli.command import App

if TYPE_CHECKING:
    from penjing.data.corpus.folder import Corpus

_SHOWN = 8  # reasons that are printed


def register(app: typer.Typer) -> None:
    """Add the commands `corpus build`, `corpus show`."""
    group = App(help="Build a corpus for pre-training, and show one.", no_args_is_help=True)
    group.command("build")(build)
    group.command("show")(show)
    app.add_typer(group, name="corpus")


def build(
    sources: Annotated[
        list[str],
        typer.Argument(help="files, folders, globs, - for standard input; NAME=PATH names one; or a YAML file of them"),
    ],
    out: Annotated[Path, typer.Option(help="the folder of the corpus")],
    text: Annotated[
        list[str] | None, typer.Option(help="the column of tables that holds the text; may be repeated")
    ] = None,
    documents: Annotated[
        Literal["auto", "file", "blank", "line"],
        typer.Option(help="what one document of a text file is: the file, what is between blank lines, or a line"),
    ] = "auto",
    licence: Annotated[str, typer.Option(help="the licence of the sources, for the card")] = "",
    languages: Annotated[str, typer.Option(help="the languages that are kept")] = "zh,en",
    simplify: Annotated[
        bool, typer.Option("--simplify", help="convert traditional Chinese to simplified, by OpenCC")
    ] = False,
    mask: Annotated[bool, typer.Option("--mask/--no-mask", help="whether personal numbers are masked")] = True,
    near: Annotated[bool, typer.Option("--near/--no-near", help="whether near duplicates are left out")] = True,
    shortest: Annotated[int, typer.Option(min=1, help="characters of Chinese, or words, that a document needs")] = 8,
    held_out: Annotated[float, typer.Option(min=0, max=0.49, help="the share of documents that is held out")] = 0.01,
    against: Annotated[
        list[str] | None,
        typer.Option(help="an evaluation set: sentences that overlap with it are cut out; may be repeated"),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=256, help="processes; default: one a core")] = None,
    most_ratio: Annotated[int, typer.Option(min=2, help="a file may unpack to so many times its size")] = 200,
    most_gb: Annotated[int, typer.Option(min=1, help="GB that one file may unpack to")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="print the card as JSON")] = False,
    texts: Annotated[bool, typer.Option("--texts/--no-texts", help="whether the page shows samples")] = True,
) -> None:
    """Read, clean, deduplicate and seal texts: OUT/, and the page OUT.report.html of what was left out and why.

    The same sources give the same corpus with any number of processes. A build that was stopped goes on.
    """
    from penjing.cli.interrupts import stopping
    from penjing.cli.show import Bar
    from penjing.data.corpus.build import HowToBuild, build_corpus
    from penjing.data.corpus.process import BuildOptions
    from penjing.data.corpus.sources import CorpusSource, read_sources
    from penjing.data.corpus.unpack import Limits

    options = BuildOptions(
        languages=_languages(languages),
        simplify=simplify,
        mask=mask,
        near=near,
        shortest=shortest,
        held_out=held_out,
    )
    defaults = CorpusSource(path="-", text=tuple(text or ()), documents=documents, licence=licence)
    listed = read_sources(sources, defaults)
    limits = Limits(most_ratio, most_gb << 30)
    with stopping() as stop, Bar() as bar:
        how = HowToBuild(workers or len(os.sched_getaffinity(0)), limits, stop)
        corpus = build_corpus(listed, out, options, bar, how, against or ())
    _report(corpus, as_json, texts)


def show(
    folder: Annotated[Path, typer.Argument(help="the folder of a corpus")],
    as_json: Annotated[bool, typer.Option("--json", help="print the card as JSON")] = False,
    texts: Annotated[bool, typer.Option("--texts/--no-texts", help="whether the page shows samples")] = True,
) -> None:
    """Check a corpus, print what is in it, and write its page again in the language of messages."""
    from penjing.data.corpus.folder import open_corpus

    _report(open_corpus(folder), as_json, texts)


def _languages(given: str) -> tuple[str, ...]:
    from penjing.core.errors import UsageError
    from penjing.core.options import nearest
    from penjing.data.corpus.process import LANGUAGES

    known = [name for name in LANGUAGES if name not in ("none", "zh-hant")]
    asked = tuple(each.strip() for each in given.split(",") if each.strip())
    for name in asked or ("",):
        if name not in known:
            raise UsageError(f"there is no language `{name}`", where="--languages", fix=nearest(name, known))
    return asked


def _report(corpus: Corpus, as_json: bool, texts: bool) -> None:
    from penjing.cli.language import language
    from penjing.cli.show import out as print_line
    from penjing.cli.show import out_json, tell
    from penjing.report.corpus_page import reason_words, write_page

    page = corpus.folder.with_name(f"{corpus.folder.name}.report.html")
    write_page(corpus, page, language(), texts=texts)
    card = corpus.card
    if as_json:
        out_json({"id": corpus.id} | card.model_dump(mode="json"))
        return
    kept, held = card.kept, corpus.amount("held_out")
    print_line(f"{kept.documents:,} of {card.read.documents:,} documents kept, {kept.characters:,} characters")
    for domain in card.domains:
        train = domain.train
        print_line(f"  {domain.name}: {train.documents:,} documents, {domain.held_out.documents:,} held out")
    dropped = list(card.dropped.items())
    for reason, amount in dropped[:_SHOWN]:
        print_line(f"  left out: {amount.documents:,}  {reason_words(reason, language())}")
    print_line(f"report  {page}")
    print_line(f"corpus  {corpus.folder}  {corpus.id[:12]}")
    if not held.documents:
        tell(
            "nothing is held out, which takes ten documents: perplexity cannot be measured; "
            "`--documents blank` makes one of each paragraph"
        )
