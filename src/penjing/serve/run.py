"""Starts the service on a socket, and stops it after running requests are answered and decisions are on the disk."""

from __future__ import annotations

import logging
import math
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from penjing.core.artifact import open_release
from penjing.core.errors import UsageError
from penjing.core.folder import make_private
from penjing.core.nouns import Release
from penjing.serve.app import build_app
from penjing.serve.auth import KeyRing, is_loopback
from penjing.serve.early import EarlyBytes
from penjing.serve.early_protocol import Refuse, early_protocol
from penjing.serve.http_limits import HttpLimits, LimitedProtocol
from penjing.serve.log import count_repeats
from penjing.serve.service import DecisionService
from penjing.serve.settings import Settings
from penjing.store.database import Store, open_store
from penjing.store.keys import active_keys, create_key
from penjing.store.releases import put_in_service
from penjing.store.settings import with_signing_key
from penjing.text.words import word_spans

_LOG = logging.getLogger("penjing.serve")
# Files that the service opens beside connections: database, model, log, and short-lived files of libraries.
_OWN_DESCRIPTORS = 128
_HANGUP = "SIGHUP does nothing here: keys are read every second, all else at a start; SIGTERM stops the service"


@dataclass(frozen=True)
class Started:
    """What is shown when the service answers; `key` is the first key, if one was made to be shown."""

    url: str
    release: Release
    key: str | None


def run_service(
    folder: Path,
    settings: Settings,
    *,
    started: Callable[[Started], None],
    notify: Callable[[str], None],
    keyless: bool = False,
    key_file: Path | None = None,
    expect: str | None = None,
) -> None:
    """Verify a release, open its database, and serve it until SIGTERM or SIGINT.

    Raises UsageError (address, port, no key beyond loopback), DamageError (release damaged, or not the expected one)
    or StoreError.
    """
    is_loopback(settings.host)
    release = open_release(folder)
    store = open_store(with_signing_key(settings.db, settings.signing_key))
    try:
        if store.warning:
            notify(store.warning)
        secret = prepare_key(store, settings.host, key_file, notify, keyless=keyless)
        check_exposure(settings.host, keyless=keyless, keys=len(active_keys(store)))
        with bind(settings.host, settings.port) as listener:
            service = DecisionService(release, store, settings)
            if key := service.audit_key:
                made = f"audits are drawn by the key {key.fingerprint}, made from the signing key"
                read = f"audits are drawn by the key {key.fingerprint}, from {key.file}"
                notify(made if key.file is None else read)
            warm_up(service)
            announce(store, release, notify, expect=expect)
            if service.layout.workers > 1:
                threads = "one thread" if service.layout.threads == 1 else f"{service.layout.threads} threads"
                notify(f"{service.layout.workers} parallel engines, each with {threads}")
            shown = secret if key_file is None else None
            serve(
                service,
                listener,
                settings,
                keyless=keyless,
                started=lambda url: started(Started(url, release, shown)),
            )
    finally:
        store.close()


def prepare_key(
    store: Store, host: str, key_file: Path | None, notify: Callable[[str], None], *, keyless: bool
) -> str | None:
    """The first key of a database, if one was made now; tells where a file for it is not written."""
    secret = None if keyless else _first_key(store, host, key_file)
    if key_file is not None and secret is None:
        there = "no key is asked for" if keyless else "the database has keys already"
        notify(f"{key_file} is not written: {there}; `penjing keys create --name NAME` makes another key")
    return secret


def announce(store: Store, release: Release, notify: Callable[[str], None], *, expect: str | None = None) -> None:
    """Record that a release decides from now on, and tell where another one was in its folder before."""
    if before := put_in_service(store, release, expect=expect):
        notify(f"this folder held the release {before.id[:12]} before; {release.id[:12]} decides from now on")


def warm_up(service: DecisionService) -> None:
    """Run the engines of a service once, and load what its evidence needs."""
    service.warm()
    if service.release.info.language != "en":
        # Evidence cuts texts into words, whichever model is used.
        word_spans("预热")


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, opened before the model is loaded to report a port in use at once. Raises UsageError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(2048)
    except OSError as error:
        made.close()
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            fix="choose another port with --port (0 takes a free one), or an address of this machine with --host",
        ) from None
    made.setblocking(False)
    return made


def check_exposure(host: str, *, keyless: bool, keys: int) -> None:
    """Refuse to listen beyond this machine without a key. Raises UsageError."""
    if is_loopback(host):
        return
    if keyless:
        raise UsageError(
            f"without keys the service listens on this machine alone, not on {host}",
            fix="leave out --no-key, or use --host 127.0.0.1",
        )
    if not keys:
        raise UsageError(f"there is no key yet, so {host} is not opened", fix="`penjing keys create --name NAME`")


def serve(
    service: DecisionService,
    listener: socket.socket,
    settings: Settings,
    *,
    keyless: bool,
    started: Callable[[str], None],
) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP does nothing. `started` gets the URL when requests are answered.

    A stop refuses new connections, lets running requests end (at most `stop_seconds`), writes what was decided, and
    returns. A second SIGINT ends at once; no acknowledged decision is lost.
    """
    app = build_app(service, KeyRing(service.store, required=not keyless))
    # Without keys, the Host must be checked before a state is answered.
    states = {} if keyless else service.states
    early = EarlyBytes(service.refusals, service.metrics, states).answer
    listen(app, early, listener, settings, started)


def listen(
    app: ASGIApp,
    early: Refuse,
    listener: socket.socket,
    settings: Settings,
    started: Callable[[str], None],
) -> None:
    """Answer on a socket until SIGTERM or SIGINT. early: what answers before HTTP is parsed."""
    host, port = listener.getsockname()[:2]
    count_repeats()
    limits = http_limits(settings)
    protocol: Callable[..., Any] = early_protocol(LimitedProtocol, early)
    config = uvicorn.Config(
        app,
        http=cast(Any, partial(protocol, limits=limits)),
        loop="uvloop",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=math.ceil(settings.idle_seconds),
        timeout_graceful_shutdown=settings.stop_seconds,
    )
    server = _Server(config, lambda: started(f"http://{f'[{host}]' if ':' in host else host}:{port}"))
    # uvicorn raises the signal again after it has stopped. With these handlers `run` then returns normally.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: _LOG.warning(_HANGUP))
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def http_limits(settings: Settings) -> HttpLimits:
    """The limits of these settings; fewer connections if the system allows fewer open files."""
    wanted = settings.max_connections + _OWN_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):  # if the limit cannot be raised, fewer connections are allowed below
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        wanted = min(wanted, soft)
    return HttpLimits(
        head_seconds=settings.head_seconds,
        body_seconds=settings.body_seconds,
        answer_seconds=settings.answer_seconds,
        write_seconds=settings.write_seconds,
        idle_seconds=settings.idle_seconds,
        connections=max(8, wanted - _OWN_DESCRIPTORS),
    )


def _first_key(store: Store, host: str, key_file: Path | None) -> str | None:
    """Make a key if there is none. For other machines write it only to a file: printed keys end up in logs."""
    if active_keys(store) or (key_file is None and not is_loopback(host)):
        return None
    if key_file is None:
        return create_key(store, "first")[1]
    try:
        file = make_private(key_file)
    except FileExistsError:
        fix = "give a file that does not exist yet"
        raise UsageError("the key file exists already", where=str(key_file), fix=fix) from None
    with file:
        secret = create_key(store, "first")[1]
        file.write(secret.encode() + b"\n")
    return secret


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_start()
