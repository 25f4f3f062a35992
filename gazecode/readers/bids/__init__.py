"""BIDS eye tracking (BEP020), with inheritance of its descriptions."""
