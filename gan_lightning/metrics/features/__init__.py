"""Feature networks: the spaces that scores are distances in."""
