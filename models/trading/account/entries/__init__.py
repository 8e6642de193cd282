"""What an idea passes before it becomes an order."""
