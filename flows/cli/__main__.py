"""`python -m flows.cli` is the command `digilog`."""

from flows.cli import main

main()
