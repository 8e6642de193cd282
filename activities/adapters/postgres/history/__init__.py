"""Recorded history in PostgreSQL."""
