"""Every figure in the README comes from here: `make bench` measures digilog beside the bare limit of the same run."""
