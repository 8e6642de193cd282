"""Temporal: messages to workflows, schedules and starts."""
