"""What a sample's answer is, how much of it is its own, and how large a position it allows."""
