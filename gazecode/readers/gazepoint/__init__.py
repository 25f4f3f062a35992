"""Gazepoint Analysis CSV."""
