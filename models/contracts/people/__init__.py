"""Messages about people: what they are told."""
