"""The exits of a running trade: conditions, partial exits, and the order of selling."""
