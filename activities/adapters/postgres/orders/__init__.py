"""Orders, executions and trades in the record."""
