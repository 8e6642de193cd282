"""Keeping the record provable: its tree, its checkpoints, its witness."""
