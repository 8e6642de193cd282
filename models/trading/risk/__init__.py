"""Risk: limits, sizing, drawdown, stress."""
