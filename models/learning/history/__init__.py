"""Recorded history: what a batch of it must be, and what was known at which moment."""
