"""Accounts, their days, capital, modes and settings in the record."""
