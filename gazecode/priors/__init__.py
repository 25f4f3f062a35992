"""Human-attention priors: fitted, merged, stored; and the paths simulated from them."""
