"""Research: backtests, features, estimators. The trading domain never imports any of it."""
