"""Reads of the record for the routes."""
