"""What a result is worth: statistics that a model must pass before it may trade."""
