"""One module of routes per aggregate."""
