"""Notifications: which events are told, to whom, when, and when somebody else is told too."""
