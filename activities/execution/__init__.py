"""Steps that send orders and find out what became of them."""
