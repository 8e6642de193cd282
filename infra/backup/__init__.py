"""Copies of an installation that survive its machine: made, listed, verified, restored."""
