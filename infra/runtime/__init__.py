"""Settings, Temporal client, database, secrets, telemetry and the embedded stack."""
