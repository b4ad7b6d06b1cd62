"""Several services are started with a database and a key file of each; what is for one alone is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from penjing.core.errors import UsageError
from penjing.core.nouns import Release
from penjing.serve.run_services import address_of, database_for


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--expect", "0123456789ab"], "--expect names one release"),
        (["--key-file", "one.key"], "several services have a key each"),
        (["--db", "sqlite:///one.db"], "several services have a database each"),
    ],
)
def test_what_is_for_one_service_is_refused(
    penjing: Any, tenants: list[Release], options: list[str], words: str
) -> None:
    ran = penjing("serve", tenants[0].folder, tenants[1].folder, "--port", 0, "--threads", 1, *options)
    assert ran.code == 2
    assert words in ran.err


def test_names_become_addresses_and_databases(tenants: list[Release]) -> None:
    assert database_for("sqlite:////data/{name}.db", "desk") == "sqlite:////data/desk.db"
    bad = replace(tenants[0], info=tenants[0].info.model_copy(update={"name": "a/b"}))
    with pytest.raises(UsageError, match="cannot be a part of an address"):
        address_of(bad)
    assert address_of(tenants[1]) == "投诉"
