"""The door for customers, senders and staff: inbox, form pages and assignment pages."""
