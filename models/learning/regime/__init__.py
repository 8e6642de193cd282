"""What kind of market this is: bullish, bearish or sideways, with a probability."""
