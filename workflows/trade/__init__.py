"""The trade's workflow, its inbox and its steps."""
