"""What an idea or a request passes before it becomes an order."""
