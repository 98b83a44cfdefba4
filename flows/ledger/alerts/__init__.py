"""What of the numbers somebody should be told: the judge, its evidence, its words."""
