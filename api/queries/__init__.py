"""What the API reads from the record."""
