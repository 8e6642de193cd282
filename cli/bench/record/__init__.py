"""Searches of a large record, and the rows for it."""
