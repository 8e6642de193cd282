"""One trade: from its entry to what it came to."""
