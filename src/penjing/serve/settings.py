"""The service's settings: the only place that reads the environment (PENJING_...)."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from penjing.core.errors import UsageError
from penjing.runtime.engine import Device
from penjing.store.database import DEFAULT_URL


class Settings(BaseSettings):
    """Each may be given as PENJING_NAME; what the command line says goes first."""

    model_config = SettingsConfigDict(env_prefix="PENJING_", extra="ignore", frozen=True)

    db: str = Field(DEFAULT_URL, description="URL of the database")
    signing_key: str = Field(
        "", description="file of the key that signs the records; default: .NAME.key beside the database"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    threads: int = Field(
        0, ge=0, le=256, description="threads of an engine; 0: as few as are fast, measured once on each machine"
    )
    workers: int = Field(0, ge=0, le=64, description="engines side by side; 0: as many as there are cores for")
    device: Device = Field(
        "cpu", description="where encoders of ONNX Runtime run: cpu, cuda or tensorrt; on a GPU not run yet by anybody"
    )
    cache: str = Field("~/.cache/penjing", description="folder in which measurements of this machine are kept")
    max_body: int = Field(1_500_000, ge=1024, le=100_000_000, description="largest body of a request, in bytes")
    max_characters: int = Field(20_000, ge=100, le=10_000_000, description="longest text, in characters")
    max_items: int = Field(64, ge=1, le=1024, description="most texts in one request")
    max_batch: int = Field(16, ge=1, le=1024, description="most texts of several requests that are decided in one pass")
    max_wait_ms: float = Field(
        0,
        ge=0,
        le=1000,
        description="longest that a request waits for company; 0: not at all, the engine takes what is there",
    )
    max_waiting: int = Field(256, ge=1, le=100_000, description="most texts that wait; beyond it the answer is 503")
    body_seconds: float = Field(20, gt=0, le=600, description="time that a client has to send its request")
    stop_seconds: int = Field(30, ge=1, le=600, description="time that running requests have at a stop")


def load_settings() -> Settings:
    """The settings from the environment. Raises UsageError for a value out of its bound."""
    try:
        return Settings()
    except ValidationError as error:
        fault = error.errors()[0]
        name = "PENJING_" + str(fault["loc"][-1]).upper()
        raise UsageError(
            f"{name} is {str(fault.get('input'))[:80]!r}: {fault['msg'].lower()}",
            where="environment",
            fix=f"unset {name}",
        ) from None


def database_url(given: str | None) -> str:
    """The URL that the command line gave, else PENJING_DB, else penjing.db in this folder."""
    settings = load_settings()
    return with_signing_key(given or settings.db, settings.signing_key)


def with_signing_key(url: str, file: str) -> str:
    """The URL of the database with the file of its signing key, where one is set and the URL names none."""
    if not file or "signing_key=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}signing_key={quote(file, safe='/~')}"
