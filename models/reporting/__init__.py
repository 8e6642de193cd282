"""Figures of reports and the pages that show them: pure, no I/O."""
