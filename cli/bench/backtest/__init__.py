"""Both engines of the backtest, measured beside vectorbt."""
