"""The exchange simulator's market: generated, recorded or live."""
