"""Tobii: Pro Lab, Studio, SDK and Titta tables, TX300 text, Glasses 2, EyeX, research CSV."""
