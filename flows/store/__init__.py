"""Every table and migration, and the few writes that several rooms share."""
