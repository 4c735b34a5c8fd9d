"""`python -m provgrid`."""

from provgrid.cli import main

main()
