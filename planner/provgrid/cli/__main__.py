"""`python -m provgrid.cli`."""

from provgrid.start import main

main()
