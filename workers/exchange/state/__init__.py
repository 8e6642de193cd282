"""The exchange simulator's state on disk."""
