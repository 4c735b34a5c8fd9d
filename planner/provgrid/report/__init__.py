"""The report: one HTML file that answers what planners ask, from run folders alone."""
