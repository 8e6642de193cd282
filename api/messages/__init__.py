"""Shapes that routes take and give."""
