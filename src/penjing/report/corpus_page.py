"""The page of a corpus: what came in, what was left out and why with samples, domains, lengths and languages."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from penjing.core.folder import write_whole
from penjing.data.corpus.card import LENGTHS, CorpusCard, DomainCard
from penjing.data.corpus.folder import Corpus
from penjing.report.contract import PageLanguage
from penjing.report.template import fill_template

_SAMPLES, _LETTERS, _ROWS = 4, 260, 60


def write_page(corpus: Corpus, path: Path, language: PageLanguage, *, texts: bool = True) -> None:
    """Write the page of a corpus in one rename. texts=False omits the samples. Raises MissingPackageError."""
    write_whole(path, render_corpus(corpus, language, texts=texts).encode())


def render_corpus(corpus: Corpus, language: PageLanguage, *, texts: bool = True) -> str:
    """The page as HTML; every text is escaped. Raises MissingPackageError without jinja2."""
    return fill_template("corpus.html", context(corpus, language, texts=texts))


def reason_words(reason: str, language: PageLanguage) -> str:
    """Why documents were left out, or how they were changed, in words."""
    return _words(language).get(f"reason_{reason}", reason)


def context(corpus: Corpus, language: PageLanguage, *, texts: bool = True) -> dict[str, Any]:
    """The values that the template shows."""
    card, t = corpus.card, _words(language)
    read, kept = card.read, card.kept
    dropped = [
        (reason_words(reason, language), amount.documents, amount.characters, _share(amount.documents, read.documents))
        for reason, amount in card.dropped.items()
    ]
    held = corpus.amount("held_out")
    tiles = [
        (f"{read.documents:,}", t["tile_read"], t["characters"].format(n=f"{read.characters:,}")),
        (f"{kept.documents:,}", t["tile_kept"], t["characters"].format(n=f"{kept.characters:,}")),
        (_percent(_share(kept.characters, read.characters)), t["tile_share"], t["tile_share_note"]),
        (f"{held.documents:,}", t["tile_held"], t["characters"].format(n=f"{held.characters:,}")),
        (f"{len(card.domains):,}", t["tile_domains"], t["tile_sources"].format(n=len(card.sources))),
    ]
    return {
        "language": {"zh": "zh-Hans", "en": "en"}[language],
        "t": t,
        "card": card,
        "id": corpus.id[:12],
        "name": corpus.folder.name,
        "heading": t["title"],
        "headline": t["headline"].format(kept=f"{kept.documents:,}", read=f"{read.documents:,}"),
        "sound": "held",
        "sentences": _says(card, t, language),
        "tiles": tiles,
        "dropped": dropped,
        "changed": [(reason_words(kind, language), times) for kind, times in card.changed.items()],
        "masked": [(t.get(f"mask_{kind}", kind), times) for kind, times in card.masked.items()],
        "sources": [(each, _not_read(each.files_not_read, t)) for each in card.sources[:_ROWS]],
        "domains": [(each, _bars(each)) for each in card.domains[:_ROWS]],
        "lengths": [f"≤ {bound:,}" for bound in LENGTHS] + [f"> {LENGTHS[-1]:,}"],
        "languages": _languages(card, t),
        "samples": _samples(corpus, language) if texts else [],
        "settings": [(t.get(f"setting_{name}", name), _setting(value, t)) for name, value in card.settings.items()],
        "percent": _percent,
        "share": _share,
    }


def _says(card: CorpusCard, t: dict[str, str], language: PageLanguage) -> list[str]:
    said = []
    most = next(iter(card.dropped.items()), None)
    if most:
        reason = reason_words(most[0], language)
        said.append(t["says_most"].format(reason=reason, documents=f"{most[1].documents:,}"))
    lost = sum(
        number
        for each in card.sources
        for reason, number in each.files_not_read.items()
        if reason not in ("about", "hidden")
    )
    if lost:
        said.append(t["says_files"].format(n=f"{lost:,}"))
    unlicensed = [each.name for each in card.sources if not each.licence and not each.origin]
    if unlicensed:
        said.append(t["says_licence"].format(names=t["comma"].join(unlicensed[:8])))
    return said


def _setting(value: object, t: dict[str, str]) -> str:
    if isinstance(value, bool):
        return t[f"setting_{str(value).lower()}"]
    return t["comma"].join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _not_read(counts: dict[str, int], t: dict[str, str]) -> str:
    return t["comma"].join(f"{t.get(f'file_{reason}', reason)} {number:,}" for reason, number in counts.items())


def _bars(domain: DomainCard) -> list[tuple[int, float]]:
    """(documents, height from 0 to 1) of each class of length."""
    most = max(domain.lengths, default=0) or 1
    return [(number, number / most) for number in domain.lengths]


def _languages(card: CorpusCard, t: dict[str, str]) -> list[tuple[str, int, float]]:
    counts: dict[str, int] = {}
    for source in card.sources:
        for name, number in source.languages.items():
            counts[name] = counts.get(name, 0) + number
    total = sum(counts.values())
    rows = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(t.get(f"language_{name}", name), number, _share(number, total)) for name, number in rows]


def _samples(corpus: Corpus, language: PageLanguage) -> list[tuple[str, list[dict[str, str]]]]:
    found = corpus.samples()
    order = ["kept", *corpus.card.dropped, *(reason for reason in found if reason in corpus.card.changed)]
    shown = []
    for reason in order:
        rows = [
            {"text": _cut(row["text"]), "from": row["from"], "same_as": row.get("same_as", "")}
            for row in found.get(reason, [])[:_SAMPLES]
        ]
        if rows:
            shown.append((reason_words(reason, language), rows))
    return shown


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else text[: _LETTERS - 2] + " …"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%" if share < 0.9995 else f"{100 * share:.0f}%"


@cache
def _words(language: PageLanguage) -> dict[str, str]:
    text = files("penjing.report").joinpath("templates/corpus.json").read_text(encoding="utf-8")
    return {name: phrases[language] for name, phrases in json.loads(text).items()}
