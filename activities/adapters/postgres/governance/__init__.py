"""People in the record: every change through a function of the owner, with its audit row."""
