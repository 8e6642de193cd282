"""Commands on trades and capital."""
