"""Prefect's part: shows what the engine did as flow runs, and turns schedules and starts into events."""
