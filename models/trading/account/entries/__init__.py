"""From an idea or a request to an entry: situation, checks, size, worth, outcome."""
