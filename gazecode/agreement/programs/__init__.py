"""Small functions as hypotheses of where people look."""
