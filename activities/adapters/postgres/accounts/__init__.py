"""Accounts in the record."""
