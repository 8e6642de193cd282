"""The domain: money, instruments, orders, risk and decisions, on the standard library alone.

Nothing here reads a clock, draws a random number or performs input or output: time, identifiers and
randomness arrive as arguments, so that every rule can be replayed.
"""
