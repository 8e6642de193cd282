"""Orders: what creates, changes and withdraws them."""
