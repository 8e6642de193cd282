"""The exits that the daily question's answers are made of. No estimator is loaded."""

from models.learning.labels.exits import Exits

EXITS = Exits(stop=0.08, target=0.15, longest_bars=15, entry_cost=0.005, exit_cost=0.005)
"""Costs of a side: Kraken's taker fee of 0.40 % and 0.10 % of slippage."""
