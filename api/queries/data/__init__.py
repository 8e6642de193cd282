"""Queries of data from outside and of the market as it is kept."""
