"""The fifth form: the caller's own data of a decision, and texts that are kept until the verdict on a case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_cases"
down_revision = "0004_whole"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "case_data",
        sa.Column("decision", sa.String(64), sa.ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("created", sa.String(27), nullable=False),
        sa.Column("ref", sa.Text),
        sa.Column("keep", sa.Text),
    )
    op.create_index("case_data_ref", "case_data", ["ref", "created", "decision"])
    op.create_table(
        "waiting_texts",
        sa.Column("decision", sa.String(64), sa.ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("text", sa.Text),
        sa.Column("evidence", sa.Text),
    )


def downgrade() -> None:
    """Drop the tables with their rows; the decisions stay."""
    for name in ("waiting_texts", "case_data"):
        op.drop_table(name)
