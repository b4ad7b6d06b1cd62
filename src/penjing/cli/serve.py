"""`penjing serve`: a release in service over HTTP."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from penjing.serve.settings import Settings

_VALUES: dict[str, str | int | float | bool] = {
    "str": "...",
    "int": 1,
    "float": 1.5,
    "bool": True,
    "date": "2026-01-05",
}


def register(app: typer.Typer) -> None:
    """Add the command `serve`."""
    app.command("serve")(serve)


def serve(
    release: Annotated[list[Path], typer.Argument(help="the folder of a release, or of several on one base")],
    host: Annotated[str | None, typer.Option(help="address to listen on; default: PENJING_HOST, or 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="port; default: PENJING_PORT, or 8000")] = None,
    db: Annotated[str | None, typer.Option(help="URL of the database; default: PENJING_DB, or penjing.db here")] = None,
    threads: Annotated[int | None, typer.Option(min=0, max=256, help="threads of an engine; 0: measured")] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, max=64, help="parallel engines; 0: as many as the cores allow")
    ] = None,
    expect: Annotated[str | None, typer.Option(help="refuse any release whose id does not begin like this")] = None,
    key_file: Annotated[Path | None, typer.Option(help="write a first key to this file, not to the terminal")] = None,
    no_key: Annotated[bool, typer.Option("--no-key", help="ask for no key; on this machine only")] = False,
) -> None:
    """Serve a release until SIGTERM or Ctrl-C. Where there is no key yet, one is made and shown once.

    Once it answers, one JSON line with the URL and the release's id is printed. Several releases that
    `compress.tenant` made on one base are served by one process, each at /services/NAME with a database of its own:
    put {name} into --db and --key-file.
    """
    import sys

    from penjing.cli.interrupts import ignore_hangup
    from penjing.cli.show import out_json, tell
    from penjing.serve.run import Started, run_service
    from penjing.serve.settings import load_settings

    ignore_hangup()  # set at the start: a terminal may close while the model is loaded
    given = {"host": host, "port": port, "db": db, "threads": threads, "workers": workers}
    settings = load_settings().model_copy(update={name: value for name, value in given.items() if value is not None})

    def started(it: Started) -> None:
        info = it.release.info
        out_json({"url": it.url, "release": it.release.id, "name": info.name})
        sys.stdout.flush()
        if it.key:
            tell(f"key (shown this once): {it.key}")
        header = "" if no_key else f" -H 'Authorization: Bearer {it.key or 'KEY'}'"
        tell(
            f"serving {info.name} {it.release.id[:12]} on {it.url}; Ctrl-C stops\n"
            f"  curl {it.url}/v1/decide{header} -H 'Content-Type: application/json' -d {example_body(info.fields)}"
        )

    if len(release) > 1:
        _serve_several(release, settings, no_key=no_key, key_file=key_file, expect=expect)
    else:
        run_service(
            release[0], settings, started=started, notify=tell, keyless=no_key, key_file=key_file, expect=expect
        )
    tell("stopped")


def _serve_several(
    folders: list[Path], settings: Settings, *, no_key: bool, key_file: Path | None, expect: str | None
) -> None:
    import sys

    from penjing.cli.show import out_json, tell
    from penjing.core.errors import UsageError
    from penjing.serve.run_services import StartedService, run_services

    if expect is not None:
        raise UsageError("--expect names one release, and several are given", fix="leave it out, or serve one alone")
    if key_file is not None and "{name}" not in str(key_file):
        raise UsageError(
            "several services have a key each, and one file is named",
            where=str(key_file),
            fix="put {name} into it, such as --key-file {name}.key",
        )

    def started(url: str, services: list[StartedService]) -> None:
        shown = {one.release.info.name: {"url": one.url, "release": one.release.id} for one in services}
        out_json({"url": url, "services": shown})
        sys.stdout.flush()
        for one in services:
            name, fields = one.release.info.name, one.release.info.fields
            if one.key:
                tell(f"key of {name} (shown this once): {one.key}")
            header = "" if no_key else f" -H 'Authorization: Bearer {one.key or 'KEY'}'"
            tell(
                f"serving {name} {one.release.id[:12]} on {one.url}; Ctrl-C stops\n"
                f"  curl {one.url}/v1/decide{header} -H 'Content-Type: application/json' -d {example_body(fields)}"
            )

    run_services(folders, settings, started=started, notify=tell, keyless=no_key, key_file=key_file)


def example_body(fields: Mapping[str, str | tuple[str, ...]]) -> str:
    """The body of a request, quoted for a shell, with a value for each declared field, since a rule may need it."""
    values = {name: _VALUES[kind] if isinstance(kind, str) else kind[0] for name, kind in fields.items()}
    body = {"text": "..."} | ({"fields": values} if values else {})
    return shlex.quote(json.dumps(body, ensure_ascii=False))
