"""What a scan path says of itself: measures over tokens and the saccades between them."""

from gazecode.measures.transitions import pool_transitions, transition_account, transitions

__all__ = ["pool_transitions", "transition_account", "transitions"]
