"""Tables of the market, the universe and stress runs."""
