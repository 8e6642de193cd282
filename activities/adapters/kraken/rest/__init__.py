"""Kraken's REST: signing, nonces, reads and orders."""
