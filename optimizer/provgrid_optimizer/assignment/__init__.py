"""Plain generalised assignment: every task to one agent, agent-dependent usage, hard capacities."""
