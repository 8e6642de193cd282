"""The hedge: its target, its book, and an override by hand."""
