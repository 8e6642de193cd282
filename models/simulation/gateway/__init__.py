"""The gateway: from a request to an order that the engine accepts."""
