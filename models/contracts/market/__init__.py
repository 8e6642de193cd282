"""Messages of the workflows about the market's data."""
