"""Workflows that keep the installation itself in order."""
