"""Kraken spot: REST over krakenex, WebSocket v2, nonces, rate budget, typed errors."""
