"""Attacks on the database of a running service: removed, moved, replaced, read-only, locked, tampered with.

`ATTACKS` maps a name to a callable (release folder, scratch folder) -> Verdict; bench/attack.py runs them all.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from attack_target import Target, Verdict, start
from penjing.store.database import open_store
from penjing.store.records import scan_records
from penjing.store.verify import verify_store

CLIENTS = 4
ENDINGS = ("", "-wal", "-shm", "-journal")


@dataclass
class Load:
    """What clients saw: ids of decisions by the moment at which they were asked for, and other answers."""

    told: list[tuple[float, str]] = field(default_factory=list)
    others: list[tuple[int, object]] = field(default_factory=list)
    ends: threading.Event = field(default_factory=threading.Event)

    def ids(self) -> set[str]:
        """Every decision that was acknowledged."""
        return {identity for _, identity in self.told}

    def after(self, moment: float) -> int:
        """Acknowledged decisions that were asked for after a moment."""
        return sum(asked > moment for asked, _ in self.told)


@contextmanager
def load(target: Target, clients: int = CLIENTS) -> Iterator[Load]:
    """Clients that ask one decision after the other until the end."""
    seen = Load()

    def ask() -> None:
        while not seen.ends.is_set():
            asked = time.monotonic()
            status, body, _ = target.post("/v1/decide", {"text": "win cash now, call 13812345678"})
            if status == 200:
                seen.told.append((asked, body["id"]))
            else:
                seen.others.append((status, body))
                time.sleep(0.05)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        while len(seen.told) < 40 and target.process.poll() is None:
            time.sleep(0.02)
        yield seen
    finally:
        seen.ends.set()
        for thread in threads:
            thread.join(35)


def removed(release: Path, folder: Path) -> Verdict:
    """`rm` of the database under load: nothing is acknowledged afterwards, and no new one is made."""
    with start(release, folder) as target, load(target) as seen:
        _remove(target.db)
        gone = time.monotonic()
        time.sleep(2.5)
        ready = target.get("/readyz", key="")[0]
        lost, made = seen.after(gone), target.db.exists()
    held = not lost and ready == 503 and not made and _in_form(seen)
    return Verdict(held, f"{lost} acknowledged after the removal, /readyz {ready}, new database: {made}")


def moved(release: Path, folder: Path) -> Verdict:
    """`mv` away and back under load: refused meanwhile, and every acknowledged decision is on record."""
    with start(release, folder) as target, load(target) as seen:
        target.db.rename(folder / "away")
        gone = time.monotonic()
        time.sleep(1.5)
        meanwhile, ready = seen.after(gone), target.get("/readyz", key="")[0]
        (folder / "away").rename(target.db)
        back = time.monotonic()
        time.sleep(2.5)
        again, ready_again = seen.after(back), target.get("/readyz", key="")[0]
    missing = len(seen.ids() - _recorded(target.db))
    held = not meanwhile and ready == 503 and bool(again) and ready_again == 200 and not missing and _in_form(seen)
    said = f"{meanwhile} acknowledged while away (/readyz {ready}), {again} once back ({ready_again}), {missing} lost"
    return Verdict(held, said)


def replaced(release: Path, folder: Path) -> Verdict:
    """Another database at the path under load: nothing is acknowledged, and the other one is left as it is."""
    open_store(f"sqlite:///{folder / 'other.db'}").close()
    with start(release, folder) as target, load(target) as seen:
        _remove(target.db)
        shutil.move(folder / "other.db", target.db)
        gone = time.monotonic()
        time.sleep(1.5)
        lost, ready = seen.after(gone), target.get("/readyz", key="")[0]
    with closing(sqlite3.connect(target.db)) as other:
        written = other.execute("SELECT count(*) FROM decisions").fetchone()[0]
    return Verdict(
        not lost and ready == 503 and not written and _in_form(seen),
        f"{lost} acknowledged, /readyz {ready}, {written} decisions in the other database",
    )


def wal_removed(release: Path, folder: Path) -> Verdict:
    """`rm` of the WAL and its index under load: every acknowledged decision is on record at the end."""
    with start(release, folder) as target:
        with load(target) as seen:
            for ending in ("-wal", "-shm"):
                target.db.with_name(target.db.name + ending).unlink(missing_ok=True)
                time.sleep(1)
            gone = time.monotonic()
            time.sleep(1.5)
            again = seen.after(gone)
        target.stop(signal.SIGKILL)
        missing = len(seen.ids() - _recorded(target.db))
    return Verdict(
        not missing and bool(again) and _in_form(seen), f"{missing} of {len(seen.told)} lost, {again} after it"
    )


def restarted(release: Path, folder: Path) -> Verdict:
    """A start where the database was lost: refused, without a new database and without a new key."""
    with start(release, folder) as target:
        target.post("/v1/decide", {"text": "win cash now"})
        target.stop()
        _remove(target.db)
        command = ["serve", str(release), "--port", "0", "--db", f"sqlite:///{target.db}"]
        ran = _penjing(*command)
        made = target.db.exists()
    held = ran.returncode == 1 and not made and "key (shown" not in ran.stderr and "recorded here before" in ran.stderr
    return Verdict(held, f"exit {ran.returncode}, new database: {made}: {ran.stderr.strip().splitlines()[-2:]}")


_OUTAGE = """
import os, sys
from pathlib import Path
from penjing.core.errors import StoreError
from penjing.store.database import open_store
from penjing.store.writer import Writer
path, user = Path(sys.argv[1]) / "x.db", int(sys.argv[2])
open_store(f"sqlite:///{Path(sys.argv[3]) / 'first.db'}").close()  # imports what a lesser user may not read
if user:
    os.setgid(user)
    os.setuid(user)
store = open_store(f"sqlite:///{path}")
writer = Writer(store)
writer.probe().result(10)
store.engine.dispose()
path.chmod(0o400)
path.parent.chmod(0o500)
refused = 0
for _ in range(5):
    try:
        writer.probe().result(10)
    except StoreError:
        refused += 1
    try:
        with store.read() as connection:
            connection.exec_driver_sql("SELECT 1")
    except StoreError:
        pass
path.parent.chmod(0o700)
path.chmod(0o600)
writer.probe().result(10)
writer.close()
print(refused)
"""


def read_only(_release: Path, folder: Path) -> Verdict:
    """The file read-only for a while: the first write after it succeeds. As another user where this one is root."""
    user = 65534 if os.geteuid() == 0 else 0
    inside = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        if user:
            os.chown(inside, user, user)
        arguments = [sys.executable, "-c", _OUTAGE, str(inside), str(user), str(folder)]
        ran = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    finally:
        shutil.rmtree(inside)
    last = ran.stderr.strip().splitlines()[-1:] or [""]
    return Verdict(ran.returncode == 0 and ran.stdout.strip() == "5", f"{ran.stdout.strip()} of 5 refused; {last[0]}")


def locked(release: Path, folder: Path) -> Verdict:
    """Another program holds the lock: refused in words, not ready; once it lets go, decisions are recorded again."""
    with start(release, folder) as target:
        with closing(sqlite3.connect(target.db, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            status, body, seconds = target.post("/v1/decide", {"text": "win cash now"})
            ready = target.get("/readyz", key="")[0]
            other.execute("ROLLBACK")
        time.sleep(1.1)
        again, ready_again = target.post("/v1/decide", {"text": "x"})[0], target.get("/readyz", key="")[0]
    held = (status, ready, again, ready_again) == (503, 503, 200, 200) and isinstance(body, dict)
    return Verdict(held, f"locked: {status} after {seconds:.1f} s, /readyz {ready}; then {again}, {ready_again}")


def locked_at_stop(release: Path, folder: Path) -> Verdict:
    """A stop while the database is locked and clients wait: it ends, every answer has the service's form."""
    with start(release, folder, PENJING_STOP_SECONDS="2") as target, load(target) as seen:
        with closing(sqlite3.connect(target.db, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(0.3)
            began = time.monotonic()
            try:
                code: object = target.stop(seconds=15)
            except subprocess.TimeoutExpired:
                code = "none"
            seconds = time.monotonic() - began
            other.execute("ROLLBACK")
        seen.ends.set()
    missing = len(seen.ids() - _recorded(target.db))
    died = [word for word in ("InvalidStateError", "penjing-writer") if word in target.log()]
    held = code == 0 and not missing and not died and _in_form(seen)
    return Verdict(held, f"exit {code} after {seconds:.1f} s, {missing} lost, in the log: {died or 'nothing'}")


_TAMPERING = {
    "deleted decision": ["DELETE FROM decisions WHERE id = '{one}'"],
    "deleted verdict": ["UPDATE reviews SET status = 'open', closed = NULL, verdict = NULL WHERE decision = '{case}'"],
    "flipped verdict": ["UPDATE reviews SET verdict = 'ham' WHERE decision = '{case}'"],
    "moved time": ["UPDATE decisions SET created = '2020-01-01T00:00:00.000000Z' WHERE id = '{one}'"],
    "swapped bodies": [
        "CREATE TEMP TABLE t AS SELECT id, text, decision FROM decisions WHERE id IN ('{one}', '{two}')",
        "UPDATE decisions SET text = (SELECT text FROM t WHERE id = '{two}'), "
        "decision = (SELECT decision FROM t WHERE id = '{two}') WHERE id = '{one}'",
        "UPDATE decisions SET text = (SELECT text FROM t WHERE id = '{one}'), "
        "decision = (SELECT decision FROM t WHERE id = '{one}') WHERE id = '{two}'",
    ],
    "cut audit tail": ["DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)"],
    "un-revoked key": ["UPDATE keys SET revoked = NULL"],
    "inserted key": ["INSERT INTO keys VALUES ('evil', 'n', 'd', 'decide,read', '2026', NULL)"],
    "cut chain tail": ["DELETE FROM chain WHERE number > (SELECT max(number) FROM chain) - 3"],
    "chain and rows cut": [
        "DELETE FROM decisions WHERE id IN (SELECT row FROM chain WHERE kind = 'decision' AND number > 20)",
        "DELETE FROM chain WHERE number > 20",
        "UPDATE writers SET number = 20, hash = (SELECT lower(hex(hash)) FROM chain WHERE number = 20)",
    ],
    "changed row of a run": ["UPDATE run_rows SET decision = '{two}' WHERE decision = '{one}'"],
    "deleted row of a run": ["DELETE FROM run_rows WHERE decision = '{one}'"],
    "added trigger": [
        "CREATE TRIGGER t AFTER INSERT ON decisions BEGIN UPDATE decisions SET outcome = 'ham' WHERE id = NEW.id; END"
    ],
    "chain dropped": ["DELETE FROM chain", "DELETE FROM writers"],
}


def tampered(release: Path, folder: Path) -> Verdict:
    """Every kind of tampering by hand: `penjing verify` exits 5 and names it; what is whole exits 0."""
    names = _fill(release, folder)
    whole = _verify(folder / "whole.db")
    quiet = [] if whole[0] == 0 else [f"whole: exit {whole[0]}"]
    for kind, statements in _TAMPERING.items():
        copy = _copy(folder / "whole.db", folder / "copy.db")
        with closing(sqlite3.connect(copy)) as connection:
            triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement.format(**names))
            for _, sql in triggers:  # an attacker leaves no trace there either
                connection.execute(sql)
            connection.commit()
        store = open_store(f"sqlite:///{copy}", create=False)
        if not verify_store(store).findings:
            quiet.append(f"{kind}: not found")
        store.close()
    last = _verify(copy)
    if last[0] != 5 or not last[1]:
        quiet.append(f"penjing verify: exit {last[0]}")
    return Verdict(not quiet, "; ".join(quiet) or f"{len(_TAMPERING)} kinds found and named")


def bad_row(release: Path, folder: Path) -> Verdict:
    """One row that is no record: `replay --all` reports it and goes on with the others."""
    names = _fill(release, folder)
    with closing(sqlite3.connect(folder / "whole.db")) as connection:
        count = connection.execute("SELECT count(*) FROM decisions").fetchone()[0]
        connection.execute("UPDATE decisions SET prediction = '[' WHERE id = ?", [names["one"]])
        connection.execute("UPDATE decisions SET text = CAST(x'ff' AS TEXT) WHERE id = ?", [names["two"]])
        connection.commit()
    ran = _penjing("replay", "--all", "--db", f"sqlite:///{folder / 'whole.db'}")
    try:
        last = json.loads(ran.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return Verdict(False, f"exit {ran.returncode}: {ran.stderr.strip()[-200:]}")
    held = ran.returncode == 6 and last.get("replayed") == count and last.get("different") == 2
    return Verdict(held, f"exit {ran.returncode}: {last}")


ATTACKS: dict[str, Callable[[Path, Path], Verdict]] = {
    "store: database removed": removed,
    "store: database moved and back": moved,
    "store: database replaced": replaced,
    "store: WAL removed": wal_removed,
    "store: restart after a loss": restarted,
    "store: read-only for a while": read_only,
    "store: locked": locked,
    "store: locked at a stop": locked_at_stop,
    "store: tampering": tampered,
    "store: one bad row": bad_row,
}


def _remove(database: Path) -> None:
    for ending in ENDINGS:
        database.with_name(database.name + ending).unlink(missing_ok=True)


def _recorded(database: Path) -> set[str]:
    store = open_store(f"sqlite:///{database}", create=False)
    try:
        return {record.id for record in scan_records(store)}
    finally:
        store.close()


def _in_form(seen: Load) -> bool:
    """Whether every other answer was the service's own form of an error, or none came at all."""
    return all(status == 0 or (isinstance(body, dict) and "error" in body) for status, body in seen.others)


def _penjing(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "penjing", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _verify(database: Path) -> tuple[int, list[dict[str, str]]]:
    ran = _penjing("verify", "--json", "--db", f"sqlite:///{database}")
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    return ran.returncode, [line for line in lines if "what" in line]


def _copy(database: Path, copy: Path) -> Path:
    for hidden in (".key", ".head"):
        shutil.copy(database.with_name(f".{database.name}{hidden}"), copy.with_name(f".{copy.name}{hidden}"))
    _remove(copy)
    return Path(shutil.copy(database, copy))


def _fill(release: Path, folder: Path) -> dict[str, str]:
    """A database `whole.db` with decisions, a verdict and a revoked key; returns the ids that are tampered with."""
    url = f"sqlite:///{folder / 'whole.db'}"
    (folder / "in.txt").write_text(
        "".join(f"win cash {n}\nsee you at lunch {n}\n" for n in range(15)), encoding="utf-8"
    )
    ids = [json.loads(line)["id"] for line in _penjing("decide", str(release), str(folder / "in.txt"), "--db", url)
           .stdout.splitlines()]  # fmt: skip
    key = json.loads(_penjing("keys", "create", "--name", "x", "--db", url).stdout)["id"]
    _penjing("keys", "revoke", key, "--db", url)
    store = open_store(url)
    waiting = next((record for record in scan_records(store) if record.route == "review"), None)
    store.close()
    if waiting is None:
        raise RuntimeError("no decision went to a person: there is no verdict to tamper with")
    case = waiting.id
    (folder / "cases.csv").write_text(f"id,verdict\n{case},spam\n", encoding="utf-8")
    _penjing("review", "import", str(folder / "cases.csv"), "--db", url)
    return {"one": ids[0], "two": ids[1], "case": case}
