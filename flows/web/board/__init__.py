"""The board: where owners and staff see the day and act. A page is a module, a template, and rows of `app.ROUTES`."""
