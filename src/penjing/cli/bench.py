"""`penjing bench`: latency and throughput of a release, in process; optionally against rivals."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penjing.cli.texts import Encoding, Header, Lines, Sheet

if TYPE_CHECKING:
    from penjing.data.read import Reading
    from penjing.measure.latency import Call

# Used if neither a file nor a regression suite has texts: short and long, Chinese and English.
SAMPLES = (
    "房间很干净，服务员态度也好，下次还会再来住的。",
    "快递太慢了，等了一个星期，包装还破了，联系客服也没有人回答，非常失望，不会再买。",
    "不错",
    "The delivery was late and the box was damaged; I want my money back.",
    "How do I change the address on my card?",
    "孩子发烧三天了，吃了退烧药又反复，精神不太好，也不想吃东西，请问需要去医院做什么检查吗？",
)


def register(app: typer.Typer) -> None:
    """Add the command `bench`."""
    app.command("bench")(bench)


def bench(
    release: Annotated[Path, typer.Argument(help="a release, or an artifact")],
    against: Annotated[
        Path | None,
        typer.Option(help="a torch artifact: timed in turn as a Hugging Face pipeline, and in ONNX Runtime's INT8"),
    ] = None,
    data: Annotated[str | None, typer.Option(help="texts to time on; default: the release's regression suite")] = None,
    text: Annotated[str | None, typer.Option(help="the column of the texts; default: text")] = None,
    encoding: Encoding = "auto",
    sheet: Sheet = None,
    header: Header = None,
    lines: Lines = False,
    calls: Annotated[int, typer.Option(min=5, help="calls at batch 1, in five windows")] = 1000,
    batch: Annotated[int, typer.Option(min=1, max=1024, help="texts a batch, for the throughput")] = 32,
    threads: Annotated[int, typer.Option(min=0, max=256, help="threads of every engine; 0: all cores")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print as JSON")] = False,
) -> None:
    """Time a release in process, batch 1, from masking to outcome, without evidence; and its throughput in batches.

    With --against all are timed window by window in turn, on the same texts and threads.
    """
    from penjing.cli.show import out_json, tell
    from penjing.core.machine import cores, hardware
    from penjing.data.read import Reading
    from penjing.measure.latency import interleaved

    count = threads or cores()
    subjects, info = _subject(release, count)
    texts, source = _texts(release, data, text, Reading(encoding, sheet, header, lines=lines))
    with TemporaryDirectory() as folder:
        if against is not None:
            subjects |= _rivals(against, count, Path(folder))
        tell(f"timing {', '.join(subjects)}: {calls} calls each ...")
        found = interleaved(subjects, texts, calls=calls, batch=batch)
    result: dict[str, Any] = {
        **info,
        "hardware": hardware(),
        "threads": count,
        "texts": {"source": source, "rows": len(texts), **_tokens(release, texts)},
        "speed": {name: measured.to_json() for name, measured in found.items()},
    }
    if against is not None:
        ours = found.pop("penjing")
        result["times_faster"] = {
            name: {
                "p50": round(theirs.p50_ms / ours.p50_ms, 2),
                "p99": round(theirs.p99_ms / ours.p99_ms, 2),
                "throughput": round(ours.texts_per_s / theirs.texts_per_s, 2),
            }
            for name, theirs in found.items()
        }
    if as_json:
        out_json(result)
    else:
        _print(result)


def _subject(folder: Path, threads: int) -> tuple[dict[str, Call], dict[str, Any]]:
    """A release that decides, or an artifact that predicts."""
    from penjing.core.artifact import open_artifact, open_release
    from penjing.core.certificate import INFO
    from penjing.decide.decider import Decider, Request
    from penjing.runtime.open import open_session

    if (folder / INFO).is_file():
        release = open_release(folder)
        decider = Decider(release, threads=threads)
        decider.session.warm()
        run: Call = lambda texts: decider.decide([Request(text) for text in texts])  # noqa: E731
        return {"penjing": run}, {"release": release.id, "timed": "masking to outcome", **_engine(decider.session)}
    artifact = open_artifact(folder)
    session = open_session(artifact, threads=threads)
    session.warm()
    run = lambda texts: session.predict([session.prepare(text).text for text in texts])  # noqa: E731
    return {"penjing": run}, {"artifact": artifact.id, "timed": "masking to prediction", **_engine(session)}


def _engine(session: Any) -> dict[str, Any]:
    return {"fingerprint": session.fingerprint()}


def _texts(folder: Path, data: str | None, column: str | None, reading: Reading) -> tuple[list[str], str]:
    import json

    from penjing.cli.texts import read_texts
    from penjing.core.certificate import SUITE
    from penjing.core.errors import DataError

    if data is not None:
        texts = [text for _, text, _ in read_texts(data, column, reading=reading) if text.strip()]
        if not texts:
            raise DataError("the file holds no text", where=data, fix="give a file with at least one row")
        return texts, data
    suite = folder / SUITE
    if suite.is_file():
        texts = [json.loads(line)["text"] for line in suite.read_text(encoding="utf-8").splitlines()]
        if texts:
            return texts, "regression suite"
    return list(SAMPLES), "built-in samples"


def _tokens(folder: Path, texts: list[str]) -> dict[str, Any]:
    """Lengths of the texts in tokens of the release, which a figure of speed needs. Empty for a linear model."""
    import numpy as np

    from penjing.core.certificate import MODEL
    from penjing.text.tokens import TOKENIZER, read_tokenizer

    path = next((path for path in (folder / MODEL / TOKENIZER, folder / TOKENIZER) if path.is_file()), None)
    if path is None:
        return {}
    tokenizer = read_tokenizer(path)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    lengths = [len(encoding.ids) for encoding in tokenizer.encode_batch_fast(texts[:2000])]
    return {"tokens_p50": float(np.quantile(lengths, 0.5)), "tokens_p99": float(np.quantile(lengths, 0.99))}


def _rivals(folder: Path, threads: int, scratch: Path) -> dict[str, Call]:
    from penjing.core.artifact import open_artifact
    from penjing.core.errors import MissingPackageError

    artifact = open_artifact(folder)
    try:
        from penjing.measure.rivals import hugging_face_pipeline, onnx_int8

        pipeline, int8 = hugging_face_pipeline(artifact, threads), onnx_int8(artifact, threads, scratch)
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"the Hugging Face pipeline needs the package `{error.name}`", fix="pip install 'penjing[train]'"
        ) from None
    return {"pipeline": pipeline, "onnx_int8": int8}


def _print(result: dict[str, Any]) -> None:
    from penjing.cli.show import out

    texts = result["texts"]
    lengths = f", median {texts['tokens_p50']:.0f} tokens" if "tokens_p50" in texts else ""
    out(f"{result['hardware']}, {result['threads']} threads; {texts['source']}, {texts['rows']} texts{lengths}")
    for name, speed in result["speed"].items():
        what = result["timed"] if name == "penjing" else "tokenization to label"
        out(
            f"{name:<9} p50 {speed['p50_ms']:.2f} ms   p99 {speed['p99_ms']:.2f} ms   "
            f"{speed['texts_per_s']:.0f} texts/s in batches of {speed['batch']}   ({what})"
        )
    if "times_faster" in result:
        for name, faster in result["times_faster"].items():
            out(f"against {name}: {faster['p50']}x as fast at the median, {faster['throughput']}x in throughput")
