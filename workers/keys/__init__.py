"""Exchange keys in the trading process: who else may use them, and taking rotated ones up."""
