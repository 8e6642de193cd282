"""Training: data snapshots, trials, evidence and what is promoted by it."""
