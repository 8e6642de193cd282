"""Dashboards as code: written here, generated as JSON into the chart, mounted by compose too."""
