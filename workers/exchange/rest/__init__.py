"""The exchange simulator's REST endpoints."""
