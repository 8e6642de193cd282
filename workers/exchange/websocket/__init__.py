"""The exchange simulator's WebSocket v2 endpoints."""
