"""Other ways to solve the reference instance, measured side by side with the heuristic."""
