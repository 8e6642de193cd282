"""The engine: orders, their life, and matching."""
