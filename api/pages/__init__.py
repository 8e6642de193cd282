"""Pages that the API serves itself until somebody can sign in to anything else."""
