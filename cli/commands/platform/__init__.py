"""Commands on the installation and its processes."""
