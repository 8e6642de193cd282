"""Commands of ``aether``, one module each."""
