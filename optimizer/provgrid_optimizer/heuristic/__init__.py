"""The certified heuristic: indivisible plans with a lower bound of their own, at any size."""
