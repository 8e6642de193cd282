"""The market in the record."""
