"""Backups on a schedule, and what of one is replayed."""
