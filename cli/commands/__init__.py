"""The commands of ``aether``."""
