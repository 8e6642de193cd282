"""The pages of the control room: where they are, and how they are built from ``ui/``."""
