"""The market side: what is made of bars and prices."""
