"""Limits of the HTTP ports."""
