"""`penjing corpus build`: sources in, a sealed corpus out; a build that was stopped goes on from its stored blocks.

The sources are read once, in order, by this process, and cut into blocks, which processes clean side by side. What the
blocks keep is then compared as a whole, and written in the order in which it was read.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from penjing.core.errors import DataError, RunInterruptedError, UsageError
from penjing.core.folder import check_place
from penjing.core.nouns import Progress
from penjing.core.paths import AnyPath, local_path
from penjing.data.corpus.against import AgainstBuilder
from penjing.data.corpus.blocks import RawBlock, raw_blocks
from penjing.data.corpus.files import SourceFiles
from penjing.data.corpus.folder import SAMPLES, TEXT, Corpus, open_corpus
from penjing.data.corpus.merge import Stored, hash_files, merge
from penjing.data.corpus.process import BlockTask, BuildOptions, read_text, simplified
from penjing.data.corpus.reader import EVERY, Notes
from penjing.data.corpus.repair import Changes
from penjing.data.corpus.sources import STDIN, CorpusSource, FoundFiles, find_files, named, read_sources
from penjing.data.corpus.unpack import Limits
from penjing.data.corpus.workers import ProcessEndedError, stored_blocks

WORK = ".unfinished"
_MB = 1 << 20
_TOLD = 20  # lines about files that were not read


@dataclass(frozen=True)
class HowToBuild:
    """How a build runs; nothing here changes its result, but the limits, which end a file that unpacks to too much."""

    workers: int = 1
    limits: Limits = field(default_factory=Limits)
    stop: Callable[[], bool] = lambda: False


def build_corpus(
    sources: Sequence[CorpusSource],
    out: AnyPath,
    options: BuildOptions,
    progress: Progress,
    how: HowToBuild | None = None,
    against: Sequence[str] = (),
) -> Corpus:
    """Build a corpus and return it. Unfinished work is in `OUT.unfinished` and is removed at the end.

    Raises UsageError (no such source, another build in OUT), DataError (a source without any text, nothing kept),
    RunInterruptedError where `stop` says so.
    """
    how, target, sources = how or HowToBuild(), local_path(out), named(sources)
    found = [find_files(source) for source in sources]
    _check_target(target, sources, found)
    for source, files in zip(sources, found, strict=True):
        if not files.files and source.path != STDIN:
            raise _nothing(source, files.skipped, files.said)
    with _work_folder(target) as work:
        task = _task(options, against, work, how, progress)
        total = sum(path.stat().st_size for files in found for path in files.files)
        is_stream = any(source.path == STDIN for source in sources)
        progress.start("reading and cleaning (MB)", None if is_stream else max(1, total // _MB))
        stored = _Reading(sources, found, how, progress).run(task, work / "blocks")
        merge(stored, target, work, options, progress, how.stop)
        corpus = open_corpus(target)
    shutil.rmtree(work, ignore_errors=True)
    return corpus


def _check_target(target: Path, sources: Sequence[CorpusSource], found: Sequence[FoundFiles]) -> None:
    """Raise UsageError where `target` holds something other than a corpus, or is among the texts that are read."""
    check_place(target, "penjing corpus build", SAMPLES, TEXT)
    resolved = target.resolve()
    for source, files in zip(sources, found, strict=True):
        root = local_path(source.path)
        is_folder = source.path != STDIN and root.is_dir()
        if is_folder:
            is_inside = resolved.is_relative_to(root.resolve())
        else:
            is_inside = any(path.resolve().is_relative_to(resolved) for path in files.files)
        if is_inside:
            what = f"--out is among the texts of `{source.path}`: the next build would read the corpus too"
            raise UsageError(what, where=str(target), fix="give an --out outside of the folder that is read")


@contextmanager
def _work_folder(target: Path) -> Iterator[Path]:
    work = target.with_name(target.name + WORK)
    (work / "blocks").mkdir(parents=True, exist_ok=True)
    with (work / ".lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            fix = "wait for it, or give another --out"
            raise UsageError("another `penjing corpus build` is working here", where=str(work), fix=fix) from None
        yield work


def _task(
    options: BuildOptions, against: Sequence[str], work: Path, how: HowToBuild, progress: Progress
) -> tuple[BlockTask, dict[str, int]]:
    """What the workers need, and the number of texts of each evaluation set."""
    if not against:
        return BlockTask(options), {}
    progress.start("reading the evaluation sets", len(against))
    builder = AgainstBuilder()
    for source in read_sources(against, CorpusSource(path=STDIN, text=EVERY, documents="line")):
        if source.path == STDIN:
            raise UsageError("an evaluation set is a file or a folder", where="--against", fix="name it")
        files, notes = find_files(source), Notes()
        reading = SourceFiles(source, files, notes, how.limits)
        builder.add(source.name, _evaluated(reading, how, options.simplify))
        if not builder.texts[source.name]:
            raise _nothing(source, files.skipped | notes.skipped, files.said + notes.said)
        progress.advance()
    path = work / "against.npz"
    builder.build().save(path)
    with path.open("rb") as file:
        return BlockTask(options, path, hashlib.file_digest(file, "sha256").hexdigest()), builder.texts


def _evaluated(reading: SourceFiles, how: HowToBuild, simplify: bool) -> Iterator[str]:
    """The texts of a set; where documents are simplified before they are compared, in both forms."""
    for each in reading.documents():
        if how.stop():
            raise RunInterruptedError("stopped while the evaluation sets were read")
        if text := read_text(each, Changes()):
            other = simplified(text) if simplify else text
            yield text if other == text else f"{text}\n{other}"


def _nothing(source: CorpusSource, skipped: dict[str, int], said: Sequence[str]) -> DataError:
    reasons = ", ".join(f"{number} × {reason}" for reason, number in sorted(skipped.items()))
    what = "there is no text in this source" + (f" (not read: {reasons})" if reasons else "")
    what += f"; the first: {said[0]}" if said else ""
    fix = "give a folder or a file with text, markdown, HTML, CSV, JSON lines or parquet, or an archive of these"
    return DataError(what, where=source.path, fix=fix)


@dataclass
class _Reading:
    """All sources, read into blocks."""

    sources: Sequence[CorpusSource]
    found: Sequence[FoundFiles]
    how: HowToBuild
    progress: Progress
    bytes: int = 0

    def run(self, prepared: tuple[BlockTask, dict[str, int]], folder: Path) -> Stored:
        """Read, clean and store everything. Raises DataError for a source without text."""
        task, against = prepared
        notes = [Notes() for _ in self.sources]
        stored = Stored(list(self.sources), list(self.found), notes, against)
        with ExitStack() as stack:
            hashes = stack.enter_context(hash_files(folder.parent))
            blocks = stored_blocks(self._raw(stored), task, folder, self.how.workers)
            stack.callback(blocks.close)  # type: ignore[attr-defined]  # it ends the processes
            try:
                for number, source, path in blocks:
                    stored.add(number, source, path, hashes)
                    self._check_stop(stored)
            except ProcessEndedError:  # what ends this command may end its processes first
                self._check_stop(stored)
                raise
        for path in set(folder.glob("*.block")) - set(stored.paths):
            path.unlink()
        return stored

    def _check_stop(self, stored: Stored) -> None:
        if self.how.stop():
            done = len(stored.paths)
            raise RunInterruptedError(f"stopped after {done:,} block{'s' * (done != 1)}; what is finished is kept")

    def _raw(self, stored: Stored) -> Iterator[RawBlock]:
        number, notes = 0, stored.notes
        for index, (source, found) in enumerate(zip(self.sources, self.found, strict=True)):
            files = SourceFiles(source, found, notes[index], self.how.limits, self._advance)
            for block in raw_blocks(files.documents(), index, number):
                self._check_stop(stored)
                number = block.number + 1
                yield block
            self._tell(source, notes[index])

    def _advance(self, read: int) -> None:
        before = self.bytes // _MB
        self.bytes += read
        if self.bytes // _MB > before:
            self.progress.advance(self.bytes // _MB - before)

    def _tell(self, source: CorpusSource, notes: Notes) -> None:
        found = self.found[self.sources.index(source)]
        if not notes.files and not notes.read_as:
            raise _nothing(source, found.skipped | notes.skipped, found.said + notes.said)
        said = found.said + notes.said
        for line in said[:_TOLD]:
            self.progress.say(f"not read: {source.name}: {line}")
        if len(said) > _TOLD:
            self.progress.say(f"not read: {source.name}: {len(said) - _TOLD} more files")
