"""What a model sees: one definition of each feature, one code for history and live bars."""
