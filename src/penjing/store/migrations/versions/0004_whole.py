"""The fourth form: the dates of erasures; rows of `runs` are entered in the chain by `store.opening`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_whole"
down_revision = "0003_chain"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of erasures."""
    op.create_table(
        "erasures",
        sa.Column("decision", sa.String(64), sa.ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("time", sa.String(27), nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop the dates; what was erased stays erased."""
    op.drop_table("erasures")
