"""People: who they are, how they show it, and the functions by which that is written."""
