"""Tables of the history: what was imported and filled back, and what is known of its quality."""
