"""The sources of a corpus: as arguments (`PATH`, `NAME=PATH`, a glob, `-`) or as a YAML file with licences."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from penjing.core.errors import RecipeError, UsageError
from penjing.core.options import explain
from penjing.core.paths import local_path, no_such_file

Documents = Literal["auto", "file", "blank", "line"]
STDIN = "-"
_NAMED = re.compile(r"(?P<name>[\w.][\w. +-]{0,59})=(?P<path>.+)", re.DOTALL)
_NAME = re.compile(r"[\w+][\w .+-]{0,59}")
_NOT_A_NAME = re.compile(r"[^\w.+-]+")
_PATTERN = re.compile(r"[*?\[]")
_ORIGIN = 2000  # characters of a SOURCE.md that go into the card
# Files that say where texts come from; they are no text of the corpus.
ABOUT = re.compile(r"(source|licen[cs]e|copying|notice|manifest)(\.[a-z]{2,4})?", re.IGNORECASE)
# What is read as text in a folder; of other names only the number is reported.
SUFFIXES = frozenset(
    (".txt", ".text", ".md", ".markdown", ".mdx", ".html", ".htm", ".xhtml", ".csv", ".tsv", ".tab", ".jsonl",
     ".ndjson", ".json", ".parquet", ".tar", ".zip", ".tgz", ".tzst")
)  # fmt: skip
PACKED = frozenset((".gz", ".zst", ".bz2", ".xz"))


class CorpusSource(BaseModel):
    """One source. `path`: a file, a folder, a glob, or `-` for standard input.

    name: what reports call it (default: the name of the file or folder); domain: the domain of its texts (default: the
    name); licence, origin: for the card; text: the columns of a table that hold its text, joined by line ends;
    documents: what one document is in a text file: the file, what is between blank lines, or a line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(min_length=1, description="a file, a folder, a glob, or - for standard input")
    name: str = Field(default="", description="what reports call the source; default: the name of its file or folder")
    domain: str = Field(default="", description="the domain of its texts; default: the name of the source")
    licence: str = Field(default="", description="the licence of its texts, for the card")
    origin: str = Field(default="", description="where its texts come from, for the card")
    text: tuple[str, ...] | str = Field(default=(), description="the column of a table that holds the text, or several")
    documents: Documents = Field(default="auto", description="what one document is in a text file")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a table that hold the text; empty: the one that is named like it."""
        return (self.text,) if isinstance(self.text, str) else self.text


class SourceList(BaseModel):
    """A YAML file of sources."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: list[CorpusSource] = Field(min_length=1, description="the sources, in the order in which they are read")


def read_sources(given: Sequence[str], defaults: CorpusSource | None = None) -> list[CorpusSource]:
    """The sources that arguments name, with a name and a domain each; texts that occur twice are kept of the first.

    defaults: licence, columns and documents of sources that are given as arguments.
    Raises UsageError (nothing there, a name twice) and RecipeError (a YAML file that is wrong).
    """
    if not given:
        raise UsageError("no source is given", fix="name files, folders or a YAML file of sources")
    found: list[CorpusSource] = []
    for each in given:
        if each.lower().endswith((".yaml", ".yml")) and local_path(each).is_file():
            found += _load(local_path(each))
        else:
            match = _NAMED.fullmatch(each) if not Path(each).exists() else None
            path, name = (match["path"], match["name"].strip()) if match else (each, "")
            plain = defaults.model_dump(exclude={"path", "name"}) if defaults else {}
            found.append(CorpusSource(path=path, name=name, **plain))
    return named(found)


def named(sources: Sequence[CorpusSource]) -> list[CorpusSource]:
    """The sources with a name and a domain each, as they are where they have them. Raises UsageError."""
    taken: dict[str, str] = {}
    result = []
    for source in sources:
        name = source.name or _name_of(source.path)
        if not source.name:  # two folders `texts` of different places
            name = next(each for each in (name, *(f"{name}-{n}" for n in range(2, 1000))) if each not in taken)
        domain = source.domain or name
        for word, kind in ((name, "name"), (domain, "domain")):
            if not _NAME.fullmatch(word):
                fix = "use letters, digits, spaces and . + - _, at most 60"
                raise UsageError(f"`{word[:60]}` cannot be the {kind} of a source", where=source.path, fix=fix)
        if name in taken:
            what = f"two sources are named `{name}`"
            raise UsageError(what, where=source.path, fix=f"name one otherwise: OTHER={source.path}")
        taken[name] = domain
        result.append(source.model_copy(update={"name": name, "domain": domain}))
    stdin = [source.name for source in result if source.path == STDIN]
    if len(stdin) > 1:
        raise UsageError("standard input is given twice", fix="give `-` once")
    return result


def _name_of(path: str) -> str:
    if path == STDIN:
        return "stdin"
    parts = [part for part in Path(path).parts if not _PATTERN.search(part)]
    name = parts[-1] if parts else "texts"
    if name in (".", "..", "/"):
        name = Path(path).resolve().name
    for suffix in (*PACKED, *SUFFIXES, *SUFFIXES):
        name = name.removesuffix(suffix)
    return _NOT_A_NAME.sub("-", name).strip("-. ")[:60] or "texts"


def _load(path: Path) -> list[CorpusSource]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        tree = YAML(typ="rt", pure=True).load(StringIO(text))
    except UnicodeDecodeError:
        raise RecipeError("the list of sources is not UTF-8", where=str(path), fix="save it as UTF-8") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise RecipeError(f"not valid YAML: {error.problem}", where=where, fix=_SHAPE) from None
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"not valid YAML: {error}", where=str(path), fix=_SHAPE) from None
    if not isinstance(tree, dict) or "sources" not in tree:
        raise RecipeError("a list of sources begins with `sources:`", where=str(path), fix=_SHAPE)
    try:
        listed = SourceList.model_validate(_plain(tree)).sources
    except ValidationError as error:
        keys, what, fix = explain(error, SourceList)[0]
        raise RecipeError(what, where=f"{path}:{_line(tree, keys)}", fix=fix) from None
    return [each.model_copy(update={"path": _beside(path, each.path)}) for each in listed]


_SHAPE = "write `sources:` and below it, for each, `- path: FOLDER`, `licence: …`, `origin: …`"


def _beside(file: Path, given: str) -> str:
    """A path of the list, relative to the folder of the list."""
    return given if given == STDIN else str(file.parent / local_path(given))


def _line(tree: Any, keys: tuple[str | int, ...]) -> int:
    line = 0
    here: Any = tree  # its nodes know their lines
    for key in keys:
        try:
            line = (here.lc.key if hasattr(here, "keys") else here.lc.item)(key)[0]
            here = here[key]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return line + 1


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    return str(value)


class FoundFiles(BaseModel):
    """The files of a source in the order in which they are read; skipped: what is not read, by reason; said: what a
    person is told of it."""

    files: list[Path] = []
    skipped: dict[str, int] = {}
    said: list[str] = []
    origin: str = ""
    single: bool = False

    def skip(self, reason: str, said: str = "") -> None:
        """Count a file that is not read."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1
        if said:
            self.said.append(said)


def find_files(source: CorpusSource) -> FoundFiles:
    """The files of a source. Links to folders are not followed, so that no loop is; a file is read once.

    Raises UsageError where there is nothing.
    """
    found = FoundFiles()
    if source.path == STDIN:
        return found
    path = local_path(source.path)
    if path.is_dir():
        _walk(path, found)
    elif path.exists():
        found.files, found.single = [path], True
    elif _PATTERN.search(source.path):
        named = map(Path, sorted(glob.glob(str(path), recursive=True)))  # noqa: PTH207 (the pattern may be absolute)
        found.files = [each for each in named if each.is_file() and not ABOUT.fullmatch(each.name)]
        if not found.files:
            raise UsageError("no file fits this pattern", where=source.path, fix="check it; `**` fits any folders")
    else:
        raise no_such_file(path)
    return found


def _walk(folder: Path, found: FoundFiles) -> None:
    seen: set[tuple[int, int]] = set()

    def refused(error: OSError) -> None:
        if not isinstance(error, PermissionError) or Path(error.filename) == folder:
            raise error
        name = Path(error.filename).relative_to(folder).as_posix()
        found.skip("not_allowed", f"{name}: this folder may not be read")

    for place, folders, names in os.walk(folder, onerror=refused):
        for _ in [each for each in folders if each.startswith(".")]:
            found.skip("hidden")
        linked = [each for each in folders if (Path(place) / each).is_symlink()]
        for _ in linked:
            found.skip("link")
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in linked)
        for name in sorted(names):
            _take(Path(place) / name, found, seen)
    found.files.sort(key=lambda path: path.relative_to(folder).parts)


def _take(path: Path, found: FoundFiles, seen: set[tuple[int, int]]) -> None:
    if path.name.startswith("."):
        return found.skip("hidden")
    if not path.exists():
        return found.skip("link")  # it points to nothing, or to itself
    if not path.is_file():
        return found.skip("not_a_file")
    if ABOUT.fullmatch(path.name):
        if path.name.lower() == "source.md":
            try:
                found.origin = found.origin or path.read_text("utf-8", "replace").strip()[:_ORIGIN]
            except PermissionError:
                return found.skip("not_allowed", f"{path.name}: this file may not be read")
        return found.skip("about")
    if suffix_of(path.name) not in SUFFIXES:
        return found.skip("other_kind")
    status = path.stat()
    if (status.st_dev, status.st_ino) in seen:
        return found.skip("link")
    seen.add((status.st_dev, status.st_ino))
    found.files.append(path)
    return None


def suffix_of(name: str) -> str:
    """The suffix that says what a file is: `.csv` of `a.csv.gz`, `.txt` of `notes` without one."""
    path = Path(name)
    while path.suffix.lower() in PACKED:
        path = path.with_suffix("")
    return path.suffix.lower() or ".txt"
