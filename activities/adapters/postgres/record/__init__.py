"""The tree over all audit rows in PostgreSQL: keeping, verifying and searching it."""
