"""Where the simulated market comes from: listings, generated and recorded sources, liquidity."""
