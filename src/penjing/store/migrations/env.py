"""The script that Alembic starts: it runs the migrations on the connection that `store.database` opened and locked."""

from __future__ import annotations

from alembic import context

from penjing.store.opening import VERSION_TABLE
from penjing.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
