"""Who calls, and whether they may: sign-in, sessions, factors, rights."""
