"""Scenarios: read, checked, rendered into plans."""
