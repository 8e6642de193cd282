"""Requests for approval as the routes use them: asked for, shown, decided, and lapsing."""
