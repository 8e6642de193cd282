"""The database's shape, step by step; Alembic runs ``versions`` in order."""
