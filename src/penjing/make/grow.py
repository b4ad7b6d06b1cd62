"""`grow`: a base out of corpora by the steps of a grow recipe, cached and resumable at every step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from penjing.core.artifact import CARD, open_artifact, write_artifact
from penjing.core.canon import digest
from penjing.core.errors import RecipeError, UsageError
from penjing.core.folder import MANIFEST, link_or_copy, write_whole
from penjing.core.grow_recipe import GrowFile, load_grow_recipe
from penjing.core.machine import cores, wait_asleep
from penjing.core.methods import Done, Step
from penjing.core.nouns import Artifact, Card, Inputs, Progress, Silent, Table
from penjing.core.options import build_options
from penjing.core.paths import AnyPath, local_path
from penjing.data.corpus.folder import Corpus, open_corpus
from penjing.data.pairs import Pair, read_pairs
from penjing.make.cache import Cache, library_versions
from penjing.make.check_grow import check_base_place, check_steps, placed
from penjing.make.lock import locked
from penjing.make.plan import named_step
from penjing.model.base import open_base, open_network
from penjing.report.grown import GrownPage, write_grown
from penjing.text.tokenizer_training import TokenizerOptions, train
from penjing.text.tokens import TOKENIZER, open_tokenizer

ROOMS = {"pretrain": "penjing.pretrain"}
BASE, LOG = "base", "log.jsonl"
_HIDDEN = (".log.jsonl", ".board")


@dataclass(frozen=True)
class _Named:
    """What a grow recipe names, opened before any work. base: None for a network from scratch.

    tokenizer: of such a network, the folder of one that is there or how one is trained.
    """

    corpora: tuple[Corpus, ...]
    teachers: Mapping[str, Artifact]
    pairs: tuple[Pair, ...]
    base: Artifact | None
    tokenizer: Path | TokenizerOptions | None


@dataclass(frozen=True)
class GrownBase:
    """The base that a grow recipe made.

    perplexity: by domain `before` the first step (or None) and `after` the last; of drawn tokens also the standard
    `error`, as a share of it.
    """

    artifact: Artifact
    perplexity: Mapping[str, Mapping[str, float | None]]
    steps: tuple[Done, ...]


def grow_base(
    recipe: AnyPath, out: AnyPath, progress: Progress | None = None, stop: Callable[[], bool] = lambda: False
) -> GrownBase:
    """Make OUT/base, OUT/log.jsonl and OUT/report.html from a grow recipe.

    The recipe is checked, and what it names is opened, before any work and before OUT is made. A second call takes
    every finished step from OUT/cache and goes on inside the one that was killed. Raises RecipeError, UsageError,
    DataError or RunInterruptedError.
    """
    wait_asleep()
    file, out = load_grow_recipe(recipe), local_path(out).absolute()
    _check_device(file)
    steps, named = read_steps(file), _open_named(file)
    check_steps(file, steps, named.base)
    check_base_place(out / BASE, named.base)
    progress = progress or Silent()
    with locked(out, "penjing grow"):
        threads = file.recipe.threads or cores()
        cache = Cache(out / "cache", file.recipe.seed, threads, progress, stop, file.recipe.device)
        cache.folder.mkdir(parents=True, exist_ok=True)
        base = named.base or _new_network(file, named, cache)
        done = _run(file, steps, base, named, cache)
        artifact = _seal(file, done, named.corpora, out)
        perplexity = _perplexity(done)
        _report(file, artifact, done, perplexity, out)
        cache.shrink(*(path for path in cache.folder.iterdir() if _is_kept(path, base, cache)))
        return GrownBase(artifact, perplexity, tuple(done))


def _check_device(file: GrowFile) -> None:
    """Raise RecipeError for a GPU that torch does not find here."""
    device = file.recipe.device
    if device == "cpu":
        return
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(device.partition(":")[2] or 0) >= count:
        what = f"`device: {device}`: torch finds {count} GPU{'s' * (count != 1)} here"
        fix = "write `device: cpu`, or take the key out; `penjing doctor` says what is installed"
        raise RecipeError(what, where=file.where("device"), fix=fix)


def read_steps(file: GrowFile) -> list[Step]:
    """The steps of a grow recipe in their order. Raises RecipeError with the line of a faulty one."""
    return [
        named_step(name, given, partial(file.where, "steps", index, name), ROOMS)
        for index, (name, given) in enumerate(file.recipe.step_list())
    ]


def _open_named(file: GrowFile) -> _Named:
    """Everything that a recipe names. Raises RecipeError with the line of what is missing or wrong."""
    recipe, beside = file.recipe, file.path.parent
    return _Named(
        corpora=tuple(_located(file, "corpus", open_corpus, file.resolve(name)) for name in recipe.corpus),
        teachers={name: _located(file, "teachers", open_base, path, beside) for name, path in recipe.teachers.items()},
        pairs=_located(file, "pairs", read_pairs, file.resolve(recipe.pairs)) if recipe.pairs else (),
        # `open_base` refuses networks that write text, which are pre-trained here too.
        base=_located(file, "base", open_network, recipe.base, beside) if recipe.base is not None else None,
        tokenizer=_named_tokenizer(file) if recipe.base is None else None,
    )


def _named_tokenizer(file: GrowFile) -> Path | TokenizerOptions:
    given = file.recipe.tokenizer
    if isinstance(given, str):
        folder = file.resolve(given)
        _located(file, "tokenizer", open_tokenizer, folder)
        return folder
    options = build_options(
        TokenizerOptions, given, file.where("tokenizer"), lambda *keys: file.where("tokenizer", *keys)
    )
    assert isinstance(options, TokenizerOptions)
    return options


def _run(file: GrowFile, steps: Sequence[Step], base: Artifact, named: _Named, cache: Cache) -> list[Done]:
    done: list[Done] = []
    for index, step in enumerate(steps):
        parent = done[-1].artifact if done else base
        nothing = Table([])
        inputs = Inputs(
            parent, nothing, nothing, named.teachers, file.recipe.language, corpora=named.corpora, pairs=named.pairs
        )
        with placed(file, index, step):
            one = cache.run(step, inputs)
        cache.progress.say(f"{step.name}: {'from the cache' if one.cached else f'{one.seconds:.1f} s'}")
        done.append(one)
    return done


def _located(file: GrowFile, key: str, open_it: Callable[..., Any], *given: Any) -> Any:
    """What a key of the recipe names, opened. Raises its UsageError with the line of the key."""
    try:
        return open_it(*given)
    except UsageError as error:
        what = error.what if error.where is None else f"{error.where}: {error.what}"
        raise RecipeError(what, where=file.where(key), fix=error.fix) from None


def _new_network(file: GrowFile, named: _Named, cache: Cache) -> Artifact:
    """A network with random weights, from the cache if it was made before."""
    recipe = file.recipe
    assert recipe.network is not None
    tokenizer = _tokenizer(named, cache)
    about = [recipe.network.model_dump(mode="json"), tokenizer.read_text(encoding="utf-8"), recipe.seed]
    target = cache.folder / f"network-{digest([*about, dict(library_versions())])[:16]}"
    return open_artifact(target) if target.is_dir() else _write_network(file, tokenizer.parent, target)


def _write_network(file: GrowFile, tokenizer_folder: Path, target: Path) -> Artifact:
    from penjing.model.pretrained import build_network, save_network
    from penjing.model.sizes import FAMILY, SIZES, Size, SpecialIds, network_config
    from penjing.pretrain.parts.marks import begin_and_end, find_marks
    from penjing.train.numerics import repeatable

    choice = file.recipe.network
    assert choice is not None
    tokenizer, family = open_tokenizer(tokenizer_folder), FAMILY[choice.type]
    marks = find_marks(tokenizer, family)
    begin, end = begin_and_end(tokenizer)
    shape = SIZES[choice.size]
    size = Size(shape.layers, shape.width, shape.heads, choice.length)
    special = SpecialIds(marks.padding, marks.after[-1] if marks.after else end, begin)
    entries = tokenizer.get_vocab_size(with_added_tokens=True)
    with repeatable(file.recipe.seed, 1):
        model = build_network(network_config(choice.type, size, entries, special))
    card = Card(
        form="torch",
        method="pretrain.network",
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        base=file.recipe.name,
        notes={"network": choice.model_dump(mode="json"), "seed": file.recipe.seed},
    )
    return write_artifact(target, card, lambda folder: save_network(folder, model, tokenizer))


def _tokenizer(named: _Named, cache: Cache) -> Path:
    """The tokenizer.json of a network from scratch: that of a folder, or one that is trained on the corpora."""
    options = named.tokenizer
    if isinstance(options, Path):
        return options / TOKENIZER
    assert options is not None
    about = [options.model_dump(mode="json"), [one.id for one in named.corpora], dict(library_versions())]
    path = cache.folder / f"tokenizer-{digest(about)[:16]}" / TOKENIZER
    if not path.is_file():
        cache.progress.start("training the tokenizer", None)
        texts = (text for corpus in named.corpora for text in corpus.documents("train"))
        trained = train(texts, options.kind, options.entries, options=options)
        write_whole(path, trained.to_str(pretty=False).encode())
    return path


def _seal(file: GrowFile, done: Sequence[Done], corpora: Sequence[Corpus], out: Path) -> Artifact:
    """The last step's base as OUT/base; its card also has the recipe, and the sources of the corpora."""
    last = done[-1].artifact
    recipe = file.recipe.model_dump(mode="json", exclude={"threads", "device"})
    notes = {
        **last.card.notes,
        "recipe": recipe,
        "corpora": [_corpus_in_card(one) for one in corpora],
        "tokens_seen": sum(int(one.artifact.card.notes.get("tokens_seen", 0)) for one in done),
        "log": LOG,
    }
    masking = {one.card.masking for one in corpora}
    card = last.card.model_copy(
        update={"base": file.recipe.name, "notes": notes, "masking": masking.pop() if len(masking) == 1 else ""}
    )

    def fill(folder: Path) -> None:
        for path in last.folder.iterdir():
            if path.name not in (MANIFEST, CARD):
                link_or_copy(path, folder / path.name)

    return write_artifact(out / BASE, card, fill)


def _corpus_in_card(corpus: Corpus) -> dict[str, Any]:
    sources = [
        {"name": one.name, "licence": one.licence, "origin": one.origin, "documents": one.kept.documents}
        for one in corpus.card.sources
    ]
    return {"id": corpus.id, "sources": sources}


def _perplexity(done: Sequence[Done]) -> dict[str, dict[str, float | None]]:
    """(Pseudo-)perplexity by domain: before the first step that measured it, and after the last one with its error."""
    found: dict[str, dict[str, float | None]] = {}
    for one in done:
        notes = one.artifact.card.notes
        for domain, values in (notes.get("perplexity") or notes.get("pseudo_perplexity") or {}).items():
            found[domain] = {**values, "before": found.get(domain, values)["before"]}
    return found


def _report(
    file: GrowFile,
    artifact: Artifact,
    done: Sequence[Done],
    perplexity: Mapping[str, Mapping[str, float | None]],
    out: Path,
) -> None:
    """OUT/log.jsonl, the logs of all steps in one file, and OUT/report.html."""
    from penjing.pretrain.parts.grow import log_of
    from penjing.train.throughput import read_log

    lines = [
        {"of": f"{number} {one.step.name}", **line}
        for number, one in enumerate(done, 1)
        for line in read_log(log_of(one.artifact.folder))
    ]
    write_whole(out / LOG, "".join(json.dumps(line) + "\n" for line in lines).encode())
    write_grown(GrownPage(file.recipe.name, artifact, perplexity, lines), file.recipe.language, out)


def _is_kept(path: Path, base: Artifact, cache: Cache) -> bool:
    """What the same recipe needs when it is run again: logs, the network it began with, its tokenizer, the tokens."""
    name = path.name
    of_step = any(name == f"{used}{ending}" for used in cache.used for ending in _HIDDEN)
    return of_step or path == base.folder or name == "shared" or name.startswith("tokenizer-")
