"""Runs of `penjing decide`: which rows of a file are recorded, so that an interrupted run can continue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_runs"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("started", sa.String(27), nullable=False),
        sa.Column("finished", sa.String(27)),
    )
    op.create_index("runs_key", "runs", ["key", "started"])
    op.create_index("runs_file", "runs", ["file", "started"])
    op.create_table(
        "run_rows",
        sa.Column("run", sa.String(32), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("decision", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    """Drop the tables: an interrupted run then starts anew."""
    for name in ("run_rows", "runs"):
        op.drop_table(name)
