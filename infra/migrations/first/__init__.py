"""The SQL of the first migration, by subject. Frozen with that migration: later ones add to it."""
