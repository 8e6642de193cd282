"""Routes of research: backtests."""
