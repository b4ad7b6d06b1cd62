"""`penjing keys`: make, list and revoke the keys of the service."""

from __future__ import annotations

from typing import Annotated

import typer

from penjing.cli.command import App

Db = Annotated[str | None, typer.Option(help="URL of the database; default: PENJING_DB, or penjing.db here")]


def register(app: typer.Typer) -> None:
    """Add the commands `keys create`, `keys list`, `keys revoke`."""
    group = App(help="Make, list and revoke the keys of the service.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(show_all)
    group.command("revoke")(revoke)
    app.add_typer(group, name="keys")


def create(
    name: Annotated[str, typer.Option(help="who uses the key")],
    scope: Annotated[list[str] | None, typer.Option(help="decide or read; may be repeated; default: both")] = None,
    db: Db = None,
) -> None:
    """Make a key and print it: this once, it is kept only as SHA-256."""
    from penjing.cli.show import out_json, tell
    from penjing.store.database import open_store
    from penjing.store.keys import SCOPES, create_key
    from penjing.store.settings import database_url

    store = open_store(database_url(db))
    key, secret = create_key(store, name, scope or SCOPES)
    store.close()
    out_json({"id": key.id, "name": key.name, "scopes": list(key.scopes), "key": secret})
    tell("keep the key now: it is not shown again")


def show_all(db: Db = None) -> None:
    """All keys, one JSON line each; the secrets are not kept."""
    from penjing.cli.show import out_json
    from penjing.store.database import open_store
    from penjing.store.keys import list_keys
    from penjing.store.settings import database_url

    store = open_store(database_url(db), create=False)
    for key in list_keys(store):
        shown = {"id": key.id, "name": key.name, "scopes": list(key.scopes)}
        out_json(shown | {"created": key.created, "revoked": key.revoked})
    store.close()


def revoke(identity: Annotated[str, typer.Argument(metavar="ID", help="the id of the key")], db: Db = None) -> None:
    """Close a key for good; a running service refuses it a second later."""
    from penjing.cli.show import out_json
    from penjing.store.database import open_store
    from penjing.store.keys import revoke_key
    from penjing.store.settings import database_url

    store = open_store(database_url(db), create=False)
    key = revoke_key(store, identity)
    store.close()
    out_json({"revoked": key.id, "name": key.name})
