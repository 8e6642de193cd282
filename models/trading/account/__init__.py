"""The account: what it knows, what it is told, and what it decides."""
