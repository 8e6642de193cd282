"""What the platform needs from the world, as protocols by area; adapters implement them."""
