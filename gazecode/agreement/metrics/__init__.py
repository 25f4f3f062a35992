"""Figures of agreement between two maps, one concept a file."""
