"""How orders get to the exchange, and what became of them."""
