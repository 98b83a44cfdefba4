"""The engine: decides what events mean, moves cases on, calls services, and keeps every promise about both."""
