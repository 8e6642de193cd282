"""Watching a champion while it trades: when to withdraw it."""
