"""`python -m provgrid.cli`."""

from provgrid.cli import main

main()
