"""Watches in memory: which prices and times have been reached."""
