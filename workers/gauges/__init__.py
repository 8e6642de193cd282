"""Figures that the trading process brings up to date by itself."""
