"""The HTTP façade: commands become updates and signals, reads come from tables."""
