"""Routes of what people decide."""
