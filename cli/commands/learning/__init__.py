"""Commands on learning."""
