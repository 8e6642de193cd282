"""Kraken's private stream: executions and balances of one account."""
