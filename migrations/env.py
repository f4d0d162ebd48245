"""Alembic environment: runs revisions on the database handed over by ``app.store.migrate``."""

from __future__ import annotations

from alembic import context

from app.store.session import Database
from app.store.structural_places import is_place_table
from app.store.tables import metadata

database: Database = context.config.attributes["database"]
with database.writer.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        # Its form depends on the database, so it is no table of the metadata.
        include_name=lambda name, kind, _: kind != "table" or not is_place_table(name),
    )
    if database.is_sqlite:
        connection.exec_driver_sql("begin immediate")
    context.run_migrations()
    connection.commit()
