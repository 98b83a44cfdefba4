"""The two ledgers: exchanges with customers, and readings of metrics; and the gate for messages."""
