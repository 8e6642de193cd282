"""Benchmarks of a running stack."""
