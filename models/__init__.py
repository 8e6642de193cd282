"""What things are and the rules that they obey; no input or output below this package."""
