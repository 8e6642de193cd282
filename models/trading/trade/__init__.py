"""One trade: what it knows, and what it does about it."""
