"""What a planner sees of a plan: pictures, and the page that holds them."""
