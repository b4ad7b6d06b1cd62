"""Starts several services in one process: one base, one socket; of each its release, its database and its keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from penjing.core.artifact import open_release
from penjing.core.errors import UsageError
from penjing.core.nouns import Release
from penjing.serve.auth import is_loopback
from penjing.serve.run import announce, bind, check_exposure, listen, prepare_key, warm_up
from penjing.serve.service import DecisionService
from penjing.serve.services import PREFIX, Services
from penjing.serve.settings import Settings
from penjing.serve.shared_engines import SharedEngines
from penjing.store.database import DEFAULT_URL, open_store
from penjing.store.keys import active_keys
from penjing.store.settings import with_signing_key

_PART = "{name}"
_ADDRESS = re.compile(r"[\w-][\w.-]{0,79}")


@dataclass(frozen=True)
class StartedService:
    """What is shown of one of several services; `key` is its first key, if one was made to be shown."""

    url: str
    release: Release
    key: str | None


def run_services(
    folders: Sequence[Path],
    settings: Settings,
    *,
    started: Callable[[str, list[StartedService]], None],
    notify: Callable[[str], None],
    keyless: bool = False,
    key_file: Path | None = None,
) -> None:
    """Verify releases of one base, open a database for each, and serve them until SIGTERM or SIGINT.

    Raises UsageError (different bases, names that are no addresses, no key beyond loopback), DamageError or StoreError.
    """
    is_loopback(settings.host)
    releases = [open_release(folder) for folder in folders]
    shared = SharedEngines(releases, settings)
    names = [address_of(release) for release in releases]
    services: dict[str, DecisionService] = {}
    secrets: dict[str, str | None] = {}
    with ExitStack() as stores:
        for name, release in zip(names, releases, strict=True):
            store = open_store(with_signing_key(database_for(settings.db, name), settings.signing_key))
            stores.callback(store.close)
            if store.warning:
                notify(store.warning)
            file = None if key_file is None else Path(str(key_file).replace(_PART, name))
            secret = prepare_key(store, settings.host, file, notify, keyless=keyless)
            secrets[name] = secret if key_file is None else None
            check_exposure(settings.host, keyless=keyless, keys=len(active_keys(store)))
            services[name] = DecisionService(release, store, settings, shared)
        with bind(settings.host, settings.port) as listener:
            # The base is warm after the first, and so is the process of the slow lanes.
            warm_up(next(iter(services.values())))
            for service in services.values():
                announce(service.store, service.release, notify)
            app = Services(services, keyless=keyless)

            def tell(url: str) -> None:
                made = [
                    StartedService(f"{url}{PREFIX}{quote(name)}", services[name].release, secrets[name])
                    for name in services
                ]
                started(url, made)

            listen(app, app.early, listener, settings, tell)


def address_of(release: Release) -> str:
    """The name of a service as a part of an address and of a file. Raises UsageError for one with other signs."""
    name = release.info.name
    if not _ADDRESS.fullmatch(name):
        raise UsageError(
            f"the name `{name[:60]}` cannot be a part of an address",
            where=str(release.folder),
            fix="use letters, digits, `-`, `_` and `.` in `name:` of the recipe, and make it again",
        )
    return name


def database_for(url: str, name: str) -> str:
    """The database of a service: each has one of its own. Raises UsageError for a URL that names one for all."""
    if _PART in url:
        return url.replace(_PART, name)
    if url == DEFAULT_URL:
        return f"sqlite:///penjing.{name}.db"
    raise UsageError(
        "several services have a database each, and one is named for all",
        where=url,
        fix="put {name} into it, such as --db sqlite:///records/{name}.db",
    )
