"""Kraken's public feed: books, trades and bars."""
