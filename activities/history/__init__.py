"""Steps that bring history into the record."""
