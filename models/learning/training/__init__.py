"""From bars to a judged candidate: samples, walk-forward trials, evidence."""
