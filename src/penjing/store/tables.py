"""The tables of the database in SQLAlchemy Core; `migrations/` creates them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

# A decision with all that a replay needs. `text` is masked, or null if texts are not kept.
decisions = Table(
    "decisions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("release", String(64), nullable=False),
    Column("created", String(27), nullable=False),
    Column("route", String(16), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("text", Text),
    Column("decision", Text, nullable=False),
    Column("prediction", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("evidence", Text),
    Index("decisions_created", "created", "id"),
    Index("decisions_release", "release", "created", "id"),
)

# A case for a person: it is opened with its decision and closed by a verdict.
reviews = Table(
    "reviews",
    metadata,
    Column("decision", String(64), ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True),
    Column("status", String(8), nullable=False),
    Column("opened", String(27), nullable=False),
    Column("closed", String(27)),
    Column("verdict", Text),
    Column("reviewer", Text),
    Column("note", Text),
    Index("reviews_status", "status", "opened", "decision"),
)

# Releases that were put in service here. A MANIFEST finds damage; these ids find a replaced folder.
releases = Table(
    "releases",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("first", String(27), nullable=False),
    Column("last", String(27), nullable=False),
)

# Only the SHA-256 of a key is stored.
keys = Table(
    "keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scopes", String(64), nullable=False),
    Column("created", String(27), nullable=False),
    Column("revoked", String(27)),
)

# Append-only; each entry holds the SHA-256 of the one before it.
audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time", String(27), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)

# The writers of chains: one row for each signing key, with the signed head of its chain (entries and last hash).
writers = Table(
    "writers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("public", String(64), nullable=False, unique=True),
    Column("number", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("time", String(27), nullable=False),
    Column("signature", String(128), nullable=False),
)

# Append-only: an entry for every change of a row above. `digests` has 16 bytes for each part of the row, `hash` covers
# the entry and the one before it. `salt` is outside the hash, so that a part can be erased together with its salt.
chain = Table(
    "chain",
    metadata,
    Column("writer", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time", String(27), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("row", String(64), nullable=False),
    Column("digests", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("salt", LargeBinary),
    sqlite_with_rowid=False,
)

# The time of the erasure of a decision.
erasures = Table(
    "erasures",
    metadata,
    Column("decision", String(64), ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True),
    Column("time", String(27), nullable=False),
    Column("parts", Text, nullable=False),
)

# The `id` of the database; and signed (store/about.py): `form`, the version of its tables, and `probed`, the time of
# the last test write.
about = Table("about", metadata, Column("name", String(16), primary_key=True), Column("value", Text, nullable=False))

# A run of `penjing decide` over a file. After an interrupt the unfinished run continues.
runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("file", Text, nullable=False),
    Column("started", String(27), nullable=False),
    Column("finished", String(27)),
    Index("runs_key", "key", "started"),
    Index("runs_file", "file", "started"),
)

# The decision of each row of a run, written in the transaction that records the decision.
run_rows = Table(
    "run_rows",
    metadata,
    Column("run", String(32), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("decision", String(64), nullable=False),
)

# The caller's own data of a decision: its case number (`ref`) and columns that are passed through (`keep`, a JSON
# object). Neither the model nor the rules see them. `created` is that of the decision, so that one index lists a case.
case_data = Table(
    "case_data",
    metadata,
    Column("decision", String(64), ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True),
    Column("created", String(27), nullable=False),
    Column("ref", Text),
    Column("keep", Text),
    Index("case_data_ref", "ref", "created", "decision"),
)

# Masked text and evidence of a case that waits for a person, where the release keeps no texts; blank after the verdict.
waiting_texts = Table(
    "waiting_texts",
    metadata,
    Column("decision", String(64), ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True),
    Column("text", Text),
    Column("evidence", Text),
)


def now() -> str:
    """The time in UTC with microseconds, in a fixed width, so that the order of texts is the order in time."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
