"""One account: what it decides and what it rests on."""
