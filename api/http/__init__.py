"""What every route shares: authentication, problems, commands, bounds."""
