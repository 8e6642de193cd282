"""Live data: one resumable stream of events for each browser."""
