"""What is asked: the scenario, the four models, the importers and the compiled problem."""
