"""The steps of the platform's own workflow."""
