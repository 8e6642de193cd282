"""Sources of the market's mood."""
