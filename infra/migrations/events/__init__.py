"""SQL of the outbox of events for systems outside."""
