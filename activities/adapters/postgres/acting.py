"""Whose token the request under way has shown, for what the database writes in that name."""

from contextvars import ContextVar

REQUEST_ID: ContextVar[str] = ContextVar("REQUEST_ID", default="")
"""Id of the request under way: its caller and Idempotency-Key, as the workflows know it."""

TOKEN_HASH: ContextVar[str] = ContextVar("TOKEN_HASH", default="")
"""SHA-256 of the bearer token, "" where nobody has shown one: then nobody can be named."""
