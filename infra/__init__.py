"""What the platform runs on: settings, Temporal, PostgreSQL, migrations and the embedded stack."""
