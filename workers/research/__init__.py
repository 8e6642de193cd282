"""The research process: backtests and reports, niced."""
