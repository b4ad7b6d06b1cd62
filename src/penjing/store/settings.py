"""The URL of the database and its keys, from the command line or the environment."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import quote

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from penjing.core.errors import UsageError
from penjing.core.options import explain
from penjing.store.database import DEFAULT_URL

Known = TypeVar("Known", bound=BaseSettings)


class StoreSettings(BaseSettings):
    """Each may be given as PENJING_NAME; an option of the command line has priority."""

    model_config = SettingsConfigDict(env_prefix="PENJING_", extra="ignore", frozen=True)

    db: str = Field(DEFAULT_URL, description="URL of the database")
    signing_key: str = Field(
        "", description="file of the key that signs the records; default: .NAME.key beside the database"
    )
    audit_key: str = Field(
        "", description="file of the key that draws audits, for several servers; default: made from the signing key"
    )


def from_environment(settings: type[Known]) -> Known:
    """Settings of this class from the environment. Raises UsageError for a value out of its bound."""
    try:
        return settings()
    except ValidationError as error:
        path, what, fix = explain(error, settings)[0]
        name = "PENJING_" + str(path[-1]).upper()
        raise UsageError(
            what.replace(f"`{path[-1]}`", name, 1), where="environment", fix=f"{fix}, or unset {name}"
        ) from None


def database_url(given: str | None) -> str:
    """The URL of the command line, else PENJING_DB, else penjing.db in this folder."""
    settings = from_environment(StoreSettings)
    return with_signing_key(given or settings.db, settings.signing_key)


def with_signing_key(url: str, file: str) -> str:
    """The URL of the database with the file of its signing key, if one is set and the URL names none."""
    if not file or "signing_key=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}signing_key={quote(file, safe='/~')}"
