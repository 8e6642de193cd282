"""Temporal's client, payloads, sandbox and access."""
