"""Tables and figures for the terminal."""
