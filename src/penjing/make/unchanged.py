"""A finished run of `make`: if nothing has changed, its sealed release and its report are returned.

A run depends on recipe, rules, every row, base, machine, libraries, and this program's own source. Times are not
measured again, except with `again`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from penjing.compress import METHODS as COMPRESS
from penjing.core.artifact import open_release
from penjing.core.canon import digest, digest_lines
from penjing.core.errors import PenjingError
from penjing.core.machine import hardware
from penjing.core.methods import source_hash
from penjing.core.nouns import Release
from penjing.core.recipe import RecipeFile
from penjing.data.prepare import Prepared
from penjing.decide.table import RuleTable
from penjing.make.cache import library_versions, table_fingerprint, task_key
from penjing.make.timings import Measured
from penjing.report.contract import PageLanguage, Report, read_report
from penjing.report.page import write_report
from penjing.report.verdict import verdict
from penjing.tune import METHODS as TUNE


def key_of(data: Prepared, bases: Sequence[str], texts: bool) -> list[str]:
    """What a run depends on in addition to `Measured.about`. texts: whether its report shows texts.

    bases: content ids of the base, and of the bases and corpora that steps name.
    """
    paths = ("penjing.make.run", "penjing.make.unchanged", *TUNE.values(), *COMPRESS.values())
    sources = [source_hash(path) for path in paths]
    rows = [task_key(data.task), data.fingerprint, digest_lines(data.unlabelled), data.language]
    rows += [digest({name: list(texts) for name, texts in data.outside.items()})]
    return ["ended", digest([rows, list(bases), texts, sources, library_versions()])]


def keep_ended(kept: Measured, key: list[str], release: Release) -> None:
    """Store the id of the release that a run with this key made."""
    kept.keep(key, {"release": release.id})


def find_ended(kept: Measured, key: list[str], out: Path) -> tuple[Report, Release] | None:
    """Report and release of an earlier run with this key; None if there is none, or if OUT was changed since."""
    found = kept.find(key)
    if found is None or not (out / "report.html").is_file():
        return None
    try:
        release, report = open_release(out / "release"), read_report(out / "report.json")
    except (PenjingError, OSError, ValidationError):
        return None
    return (report, release) if release.id == found.get("release") == report.release else None


def in_language(report: Report, out: Path, texts: bool, language: PageLanguage | None) -> Report:
    """The report of an earlier run in the requested language; the page is written again if its language differs."""
    headline, sentences = verdict(report, language or report.page_language())
    if report.verdict == " ".join([headline, *sentences]):
        return report
    return write_report(report.model_copy(update={"verdict": ""}), out, texts=texts, language=language)


def about_of(file: RecipeFile, data: Prepared, rules: RuleTable | None, threads: int) -> str:
    """Everything, apart from the model, that the times of a run depend on."""
    written = rules.digest if rules is not None else ""
    source, texts = source_hash("penjing.make.choose"), table_fingerprint(data.validation)
    task = task_key(data.task)
    return digest([file.recipe.model_dump(mode="json"), written, texts, threads, hardware(), source, task])
