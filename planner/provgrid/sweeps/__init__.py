"""Many plans of one scenario: grids of varied values, and fronts between two objectives."""
