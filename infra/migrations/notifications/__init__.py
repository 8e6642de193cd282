"""What is kept of notifications, and who may touch it."""
