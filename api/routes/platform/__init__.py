"""Routes of the platform as a whole."""
