"""Reads of research: backtests, and what strategies have earned."""
