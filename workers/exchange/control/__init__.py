"""The exchange simulator's control endpoint."""
