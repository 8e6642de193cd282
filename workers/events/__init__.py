"""The bridge that tells other systems what has happened."""
