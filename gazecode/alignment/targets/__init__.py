"""What attention heads are taught: gaze on the code (``answers``), saccades in it (``causal``)."""
