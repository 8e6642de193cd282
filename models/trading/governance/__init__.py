"""What takes a second person: approval and going live."""
