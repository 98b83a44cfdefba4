"""The work of people: assignments, and who gets them."""
