"""The table of forms: how an artifact of each form is opened as an engine, and any artifact as a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from penjing.core.abilities import ScopedTask
from penjing.core.artifact import open_artifact
from penjing.core.errors import DamageError, UsageError
from penjing.core.machine import cores
from penjing.core.nouns import Artifact, Release
from penjing.core.task import JointTask
from penjing.data.mask import open_masking
from penjing.engines.fields import FieldsEngine
from penjing.engines.protocol import Device, Engine, heads_of
from penjing.runtime.cascade import FIRST, SECOND, open_cascade
from penjing.runtime.ngrams import ENCODER, NGRAMS, open_branched
from penjing.runtime.scope import read_scope
from penjing.runtime.session import Session
from penjing.tasks import predicts, task_of

LongTexts = Literal["chunk", "review"]
Opener = Callable[[Artifact, int, Device], Engine]


# Each opener imports its engine itself: a form that is not used needs no package of its own.
def _linear(artifact: Artifact, threads: int, _device: Device) -> Engine:
    from penjing.engines.linear import LinearEngine
    from penjing.engines.linear_joint import JointLinearEngine
    from penjing.engines.linear_sparse import SparseLinearEngine
    from penjing.engines.linear_tokens import TokenLinearEngine

    heads = heads_of(artifact)
    if any(head.kind != "pooled" for head in heads.values()):
        joint = isinstance(task_of(artifact.card), JointTask)
        return JointLinearEngine.load(artifact) if joint else TokenLinearEngine.load(artifact)
    if SparseLinearEngine.is_in(artifact):
        return SparseLinearEngine.load(artifact)
    return LinearEngine.load(artifact, threads)


def _static(artifact: Artifact, threads: int, _device: Device) -> Engine:
    from penjing.engines.static import StaticEngine

    return StaticEngine.load(artifact, threads)


def _onnx(artifact: Artifact, threads: int, device: Device) -> Engine:
    from penjing.engines.onnx import OnnxEngine

    return OnnxEngine.load(artifact, threads, device)


def _exit(artifact: Artifact, threads: int, device: Device) -> Engine:
    from penjing.engines.early_exit import ExitEngine

    return ExitEngine.load(artifact, threads, device)


def _openvino(artifact: Artifact, threads: int, _device: Device) -> Engine:
    from penjing.engines.openvino import OpenVinoEngine

    return OpenVinoEngine.load(artifact, threads)


def _tenant(artifact: Artifact, threads: int, device: Device) -> Engine:
    from penjing.engines.tenant import TenantEngine

    return TenantEngine.load(artifact, threads, device)


def _torch(artifact: Artifact, threads: int, _device: Device) -> Engine:
    try:
        from penjing.engines.torch import TorchEngine
    except ModuleNotFoundError as error:
        raise UsageError(
            f"an artifact of form `torch` needs the package `{error.name}`",
            where=str(artifact.folder),
            fix="pip install 'penjing[train]', or use the sealed release, which needs no torch",
        ) from None
    return TorchEngine.load(artifact, threads)


FORMS: Mapping[str, Opener] = {
    "linear": _linear,
    "static": _static,
    "onnx": _onnx,
    "exit": _exit,
    "openvino": _openvino,
    "tenant": _tenant,
    "torch": _torch,
}
# Forms of two stages, each an artifact in a folder of its own: the names of the folders, and what puts them together.
STAGED: Mapping[str, tuple[tuple[str, str], Callable[[Artifact, Session, Session, LongTexts], Session]]] = {
    "cascade": ((FIRST, SECOND), open_cascade),
    "ngrams": ((NGRAMS, ENCODER), open_branched),
}
# Forms whose engine reads the text; what declared fields add is kept beside it.
JOINED = {"torch", "onnx", "openvino", "tenant"}
READ_FIELDS = {"linear", *JOINED}
CPU_ONLY = {"openvino", "torch"}


def open_engine(artifact: Artifact, threads: int = 0, device: Device = "cpu") -> Engine:
    """The engine of the artifact's form. threads: 0 for all cores that this process may use.

    device: where encoders of ONNX Runtime run. Models without an encoder always run on the CPU. Raises
    MissingPackageError where the engine or its device is not installed, UsageError for a form that does not run on the
    device, DamageError for a file that cannot be read.
    """
    form = artifact.card.form
    if artifact.card.features and form not in READ_FIELDS:
        raise UsageError(
            f"an artifact of form `{form}` reads the text alone, and this one names declared fields",
            where=str(artifact.folder),
            fix="install the version of penjing that made it, or a newer one",
        )
    if device != "cpu" and form in CPU_ONLY:
        raise UsageError(
            f"an artifact of form `{form}` runs on the CPU, not on `{device}`",
            where=str(artifact.folder),
            fix="make it with `engine: onnx`, or ask for `cpu`",
        )
    engine = FORMS[form](artifact, threads or cores(), device)
    return FieldsEngine.load(artifact, engine) if artifact.card.features and form in JOINED else engine


def open_session(
    artifact: Artifact, *, threads: int = 0, long_texts: LongTexts = "chunk", device: Device = "cpu"
) -> Session:
    """Open an artifact in the engine of its form; one of two stages in the engines of both.

    threads: 0 for all cores that this process may use; device: as in `open_engine`. Raises UsageError for an artifact
    without labels or with a masking that is not known here, MissingPackageError where its engine is not installed,
    DamageError for files that cannot be read.
    """
    card = artifact.card
    if not predicts(card):
        raise UsageError(
            f"an artifact by `{card.method}` predicts nothing: it was not tuned",
            where=str(artifact.folder),
            fix="tune it first, with `tune.full` or `tune.linear` in a recipe",
        )
    open_masking(card.masking, str(artifact.folder))
    if card.form in STAGED:
        names, put_together = STAGED[card.form]
        first, second = (
            open_session(open_artifact(artifact.folder / name), threads=threads, long_texts=long_texts, device=device)
            for name in names
        )
        return put_together(artifact, first, second, long_texts)
    return Session(artifact, open_engine(artifact, threads, device), long_texts)


def open_served(release: Release, *, threads: int = 0, device: Device = "cpu") -> Session:
    """The session of a release as it serves: its artifact, how it reads long texts, and its scope where it has one.

    Raises what `open_session` and `read_scope` raise, DamageError for a scope that does not fit the model.
    """
    session = open_session(release.artifact, threads=threads, long_texts=release.info.long_texts, device=device)
    scope = read_scope(release.folder)
    if scope is None:
        return session
    if not isinstance(session.task, ScopedTask) or len(scope.spec.stages) != session.answering_stages:
        raise DamageError(
            f"the scope of the release has {len(scope.spec.stages)} stages, which does not fit its model",
            where=str(release.folder),
            fix="make the release again",
        )
    return session.within(scope)
