"""Published lists of sanctions."""
