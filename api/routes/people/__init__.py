"""Routes by which people sign in and are kept."""
