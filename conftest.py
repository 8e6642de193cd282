"""Makes the repository root importable for tests, so that they find ``tests.support``."""
