"""Rules about the tree itself, for ``make check``: bounds of folders and files, and words."""
