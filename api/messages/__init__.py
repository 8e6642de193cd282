"""The shapes of what the API gives."""
