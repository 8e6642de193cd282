"""Processes and their composition roots; only assembly.py picks adapters."""
