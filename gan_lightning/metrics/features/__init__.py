"""Feature networks: scores are distances in their feature spaces."""
