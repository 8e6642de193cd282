"""Workflows of the market: rules, stress, and the owners of connections."""
