"""The embedded stack of one machine: PostgreSQL, Temporal and supervised programs."""
