"""SMI: iView X and BeGaze, samples and events."""
