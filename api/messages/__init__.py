"""Shapes that the API takes and gives, by area."""
