"""Recorded candles in files: Parquet, and Kraken's downloadable CSV archives, as arrays."""
