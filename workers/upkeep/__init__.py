"""Keeping the long-lived workflows running: watchdog and restoration."""
