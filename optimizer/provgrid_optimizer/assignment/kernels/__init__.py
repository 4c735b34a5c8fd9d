"""Compiled kernels of the generalised assignment. Arrays are task by agent, float64 unless stated."""
