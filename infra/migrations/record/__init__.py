"""The tree over all audit rows, its checkpoints, and what every row says of its origin."""
