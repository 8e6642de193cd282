"""Steps: every effect happens here, in classes that see ports, never adapters."""
