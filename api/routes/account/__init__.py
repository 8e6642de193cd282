"""Routes of one account."""
