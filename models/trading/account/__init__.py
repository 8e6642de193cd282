"""One account: what it knows, what it is asked, and what it decides."""
