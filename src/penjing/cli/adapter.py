"""`penjing export adapter`: what a step such as `tune.lora` learned, without its base, as a small folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register_in(group: typer.Typer) -> None:
    """Add the command `export adapter` to the group `export`."""
    group.command("adapter")(adapter)


def adapter(
    source: Annotated[Path, typer.Argument(help="OUT of `penjing make`, a release in it, or its model in torch")],
    out: Annotated[Path, typer.Option("--out", help="the folder to write, which must not exist yet")],
) -> None:
    """Write what a step such as `tune.lora` has changed in its base, with the head, and the name and id of the base.

    With the same base it gives the same model again, bit for bit. One line of JSON says what was written.
    """
    from penjing.cli.show import out_json
    from penjing.core.errors import UsageError
    from penjing.model.adapters import export_adapter
    from penjing.model.base import open_network

    folder = source / "release" if (source / "release").is_dir() else source
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=str(source), fix="give OUT of `penjing make`")
    info = export_adapter(open_network(str(folder.resolve()), Path()), out)
    size = sum(file.stat().st_size for file in out.iterdir())
    base = {"base": info.base, "base_id": info.base_id}
    out_json({"adapter": str(out), "kind": info.kind, **base, "rank": info.rank, "bytes": size})
