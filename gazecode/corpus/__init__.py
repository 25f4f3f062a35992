"""Weights for a whole corpus: files in, shards out, on one core or many machines."""
