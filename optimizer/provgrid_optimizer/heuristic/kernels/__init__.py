"""Numba kernels: plain arrays in, plain arrays out; no kernel reads a `Problem`."""
