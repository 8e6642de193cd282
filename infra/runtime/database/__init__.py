"""Connections to PostgreSQL, and the making of a database."""
