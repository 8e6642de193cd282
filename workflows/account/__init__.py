"""The account's workflow, its inbox and its steps, and what runs beside it."""
