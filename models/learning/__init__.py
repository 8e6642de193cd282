"""Features, labels, estimators, validation: pure functions on arrays, no clock, no storage."""
