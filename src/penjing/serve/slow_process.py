"""The process of the slow lanes: decides, explains and replays what `SlowEngine` (slow_engine.py) sends it.

Started as `python -m penjing.serve.slow_process` with a JSON argument. It has an interpreter of its own, so that no
long text delays the event loop of the service. It has a lower priority, so that short decisions run first on every
core. Each lane has a socket; the lanes take turns, a small pass each. On one more socket the process answers pings at
once. When the service closes that socket, or is gone, the process ends at once, also during a pass.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import astuple
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from penjing.cases.record import work
from penjing.cases.replay_record import replay_record
from penjing.core.artifact import open_release
from penjing.core.errors import DamageError, PenjingError
from penjing.decide.decider import Decider
from penjing.decide.draw import Drawer
from penjing.runtime.cascade import CascadeSession
from penjing.runtime.paced import paced
from penjing.serve.garbage import set_up_collector
from penjing.serve.messages import (
    answer_to_json,
    ask_from_json,
    decode,
    encode,
    error_to_json,
    replay_ask_from_json,
)
from penjing.serve.turns import Turns

_LOG = logging.getLogger("penjing.serve")
# With five steps of priority the process gets a quarter of a core that both need.
_NICE = 5
# Python's default interval between threads, 5 ms, would delay a lane at each of its passes.
_SWITCH_SECONDS = 0.0005


class SlowWork:
    """Answers the messages of the lanes with one engine; the works of several releases share their turns."""

    def __init__(self, decider: Decider, turns: Turns | None = None) -> None:
        turns = turns or Turns()
        self._decider = copy(decider)
        self._decider.session = paced(decider.session, turns.turn)
        session = self._decider.session
        self._tally = session.tally if isinstance(session, CascadeSession) else None

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to one message; an error for the client is also an answer."""
        try:
            answer = self._replay(message) if "replays" in message else self._decide(message)
        except PenjingError as error:
            answer = {"error": error_to_json(error)}
        if self._tally is not None:
            answer["tally"] = astuple(self._tally)
        return answer

    def _decide(self, message: dict[str, Any]) -> dict[str, Any]:
        asks = [ask_from_json(value) for value in message["asks"]]
        self._decider.drawer = Drawer(bytes.fromhex(message["secret"]))
        answers = work(self._decider, asks)
        spent = [0.0 if ask.budget is None else ask.budget.spent for ask in asks]
        return {"answers": [answer_to_json(answer) for answer in answers], "spent": spent}

    def _replay(self, message: dict[str, Any]) -> dict[str, Any]:
        asks = [replay_ask_from_json(value) for value in message["replays"]]
        return {"replayed": [replay_record(ask.record, self._decider, ask.erased).to_json() for ask in asks]}


def serve_lane(connection: Connection, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer messages one by one until the other end is closed."""
    while True:
        try:
            message = decode(connection.recv_bytes())
        except (EOFError, OSError):
            return
        try:
            reply = answer(message)
        except Exception as error:  # noqa: BLE001 -- the lane goes on, and the service answers 500
            _LOG.error("the process of the slow lanes failed on a request", exc_info=error)
            reply = {"failed": type(error).__name__}
        try:
            connection.send_bytes(encode(reply))
        except OSError:
            return


def answer_liveness(liveness: Connection) -> None:
    """Answer pings; end this process when the other end is closed."""
    while True:
        try:
            liveness.send_bytes(liveness.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)  # no file is open for writing, so the process can end at any moment


def _open(folder: str, wanted: str, given: Mapping[str, Any]) -> Decider:
    """A release that is ready to decide. Raises DamageError if its folder holds another one now."""
    release = open_release(Path(folder))
    if release.id != wanted:
        raise DamageError(
            f"this folder holds the release {release.id[:12]} now, not {wanted[:12]}",
            where=folder,
            fix="start the service again",
        )
    return Decider(release, threads=given["threads"], device=given["device"])


def main() -> None:
    """Open the releases, report `ready` or the error on the first socket, and answer until the service is gone."""
    # Ctrl-C and a stop of the whole process group reach this process too, but the service decides when it ends.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    given = decode(sys.argv[1].encode())
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    connections = [Connection(descriptor) for descriptor in given["sockets"]]
    threading.Thread(target=answer_liveness, args=[Connection(given["life"])], daemon=True).start()
    try:
        os.nice(_NICE)
        turns = Turns()
        deciders = [_open(folder, wanted, given) for folder, wanted in given["releases"]]
        # Several releases have one base, which is warm after the first.
        deciders[0].session.warm()
        works = [SlowWork(decider, turns) for decider in deciders]
    except PenjingError as error:
        connections[0].send_bytes(encode({"error": error_to_json(error)}))
        return
    sys.setswitchinterval(_SWITCH_SECONDS)
    set_up_collector()

    def answer(message: dict[str, Any]) -> dict[str, Any]:
        work_of: SlowWork = works[message.get("place", 0)]
        return work_of.answer(message)

    lanes = [threading.Thread(target=serve_lane, args=[one, answer], daemon=True) for one in connections]
    for lane in lanes:
        lane.start()
    connections[0].send_bytes(encode({"ready": os.getpid()}))
    for lane in lanes:
        lane.join()


if __name__ == "__main__":
    main()
