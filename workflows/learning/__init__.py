"""Training and promotion."""
