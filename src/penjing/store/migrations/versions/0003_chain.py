"""The third form: chains of signed hashes over every table; rows from before are entered by `store.opening`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_chain"
down_revision = "0002_runs"
branch_labels = None
depends_on = None

_FIXED = "writer, number, time, kind, row, digests, hash"


def upgrade() -> None:
    """Make the tables of the chains."""
    op.create_table(
        "writers",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("public", sa.String(64), nullable=False, unique=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("time", sa.String(27), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
    )
    op.create_table(
        "chain",
        sa.Column("writer", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("time", sa.String(27), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("row", sa.String(64), nullable=False),
        sa.Column("digests", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("salt", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "about",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for name, verb in (("update", f"UPDATE OF {_FIXED}"), ("delete", "DELETE")):
            op.execute(
                f"CREATE TRIGGER chain_keeps_{name} BEFORE {verb} ON chain "
                "BEGIN SELECT RAISE(ABORT, 'the chain is append-only'); END"
            )


def downgrade() -> None:
    """Drop the chains; the rows that they cover stay."""
    for name in ("about", "chain", "writers"):
        op.drop_table(name)
