"""The store's forms, one after the other; run forward from every released version."""
