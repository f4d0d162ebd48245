"""Alembic environment: runs revisions on the database handed over by ``app.store.migrate``."""

from __future__ import annotations

from alembic import context

from app.store.session import Database
from app.store.tables import metadata

database: Database = context.config.attributes["database"]
with database.writer.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    if database.is_sqlite:
        connection.exec_driver_sql("begin immediate")
    context.run_migrations()
    connection.commit()
