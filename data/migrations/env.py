"""Alembic's entry: runs the migrations on the connection that `data.schema` hands over."""

from alembic import context

import data.access_tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=data.access_tables.SQLModel.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
