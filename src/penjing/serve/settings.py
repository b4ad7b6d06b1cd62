"""The service's settings, from the environment (PENJING_...); those of the database are in store/settings.py."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penjing.engines.protocol import Device
from penjing.store.settings import StoreSettings, from_environment


class Settings(StoreSettings):
    """Each may be given as PENJING_NAME; an option of the command line has priority."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    threads: int = Field(
        0, ge=0, le=256, description="threads of an engine; 0: as few as are fast, measured once on each machine"
    )
    workers: int = Field(0, ge=0, le=64, description="parallel engines; 0: as many as the cores allow")
    device: Device = Field(
        "cpu", description="where encoders of ONNX Runtime run: cpu, cuda or tensorrt; not run on a GPU yet"
    )
    cache: str = Field("~/.cache/penjing", description="folder in which measurements of this machine are kept")
    max_body: int = Field(1_500_000, ge=1024, le=100_000_000, description="largest body of a request, in bytes")
    max_characters: int = Field(20_000, ge=100, le=10_000_000, description="longest text, in characters")
    max_items: int = Field(256, ge=1, le=10_000, description="most texts in one request")
    max_batch: int = Field(16, ge=1, le=1024, description="most texts of several requests that are decided in one pass")
    max_wait_ms: float = Field(
        0,
        ge=0,
        le=1000,
        description="longest wait of a request for others in the same pass; 0: none",
    )
    short_characters: int = Field(
        2000,
        ge=100,
        le=1_000_000,
        description="most characters of a request in the lane of short decisions, and of one pass of an engine there",
    )
    max_waiting: int = Field(256, ge=1, le=100_000, description="most texts in the lane of short decisions")
    waiting_characters: int = Field(
        100_000, ge=100, le=1_000_000_000, description="most characters in the lane of short decisions"
    )
    waiting_seconds: float = Field(2, gt=0, le=600, description="longest that a short decision waits for an engine")
    round_ms: float = Field(
        20,
        gt=0,
        le=10_000,
        description="a round of the event loop that takes longer admits no more short decisions while two passes wait",
    )
    long_waiting: int = Field(
        1024, ge=1, le=100_000, description="most texts in the lane of long texts and large batches"
    )
    long_waiting_characters: int = Field(
        2_000_000, ge=100, le=1_000_000_000, description="most characters in the lane of long texts and large batches"
    )
    long_waiting_seconds: float = Field(
        15, gt=0, le=3600, description="longest that a long text or a large batch waits for its next pass"
    )
    evidence_items: int = Field(16, ge=0, le=1024, description="texts of a request that get evidence, the first ones")
    evidence_tokens: int = Field(
        4096,
        ge=16,
        le=1_000_000,
        description="longest text that gets evidence, in tokens of its model; in characters where it reads none",
    )
    evidence_seconds: float = Field(
        5, gt=0, le=3600, description="time for the evidence of a request; what is missing then is marked as cut"
    )
    evidence_waiting: int = Field(64, ge=1, le=100_000, description="most texts in the lane of evidence")
    evidence_waiting_characters: int = Field(
        8_000_000, ge=100, le=1_000_000_000, description="most characters in the lane of evidence, each 17 times"
    )
    evidence_waiting_seconds: float = Field(
        15, gt=0, le=3600, description="longest that a request with evidence waits for its next text"
    )
    replay_waiting: int = Field(64, ge=1, le=100_000, description="most replays in their lane")
    replay_waiting_characters: int = Field(
        400_000, ge=100, le=1_000_000_000, description="most characters in the lane of replays"
    )
    replay_waiting_seconds: float = Field(15, gt=0, le=3600, description="longest that a replay waits")
    lookup_waiting: int = Field(256, ge=1, le=100_000, description="most records that are looked up at once")
    lookup_waiting_seconds: float = Field(5, gt=0, le=600, description="longest that a look-up waits")
    state_seconds: float = Field(1, ge=0, le=60, description="how long an answer of /readyz and /metrics is reused")
    lang: Literal["", "zh", "en"] = Field(
        "", description="zh or en: the language of the command line; empty: that of the system, else of the texts"
    )
    debug: bool = Field(
        False, description="1: a command that fails writes the traceback to a file, which its message names"
    )
    max_connections: int = Field(
        1000,
        ge=8,
        le=100_000,
        description="most connections; beyond it the one that has waited longest for a request is closed",
    )
    head_seconds: float = Field(20, gt=0, le=600, description="time that a client has to send the head of a request")
    body_seconds: float = Field(20, gt=0, le=600, description="time that a client has to send the body of a request")
    answer_seconds: float = Field(300, gt=0, le=86_400, description="time in which a request must be answered")
    write_seconds: float = Field(30, gt=0, le=600, description="time that a client has to take its answer")
    idle_seconds: float = Field(30, gt=0, le=3600, description="pause between two requests of a connection")
    stop_seconds: int = Field(30, ge=1, le=600, description="time that running requests have at a stop")


def load_settings() -> Settings:
    """The settings from the environment. Raises UsageError for a value out of its bound."""
    return from_environment(Settings)
