"""Exits of a trade: their rules, their distances, changes and requests."""
