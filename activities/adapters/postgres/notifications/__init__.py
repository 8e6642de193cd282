"""What is kept of notifications in PostgreSQL."""
