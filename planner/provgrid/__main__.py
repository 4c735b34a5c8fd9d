"""`python -m provgrid`."""

from provgrid.start import main

main()
