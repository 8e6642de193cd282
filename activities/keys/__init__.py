"""Exchange keys as people handle them."""
