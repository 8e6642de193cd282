"""One trade, from entry to settlement, and what its execution came to."""
