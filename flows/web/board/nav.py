"""The board's navigation in its order: path, and the key of its word. A path without a route is not shown."""

NAV = (
    ("/", "nav_today"),
    ("/cases", "nav_cases"),
    ("/metrics", "nav_metrics"),
    ("/playbooks", "nav_playbooks"),
    ("/outbox", "nav_outbox"),
    ("/exchanges", "nav_exchange"),
    ("/quarantine", "nav_quarantine"),
    ("/connections", "nav_connections"),
    ("/canvas", "nav_canvas"),
    ("/blueprint", "nav_blueprint"),
    ("/health", "nav_health"),
)
