"""A web service of a company's own: what its connection says, and what it answers when all is well."""

SETTINGS = {"base_url": "https://crm.example.com", "idempotency_header": "Idempotency-Key"}
SECRETS = {"token": "crm-token-2f7c1d"}
ACTIONS = {
    "get": {"path": "/members/1", "params": {"q": "가"}},
    "post": {"path": "/visits", "body": {"name": "김하나"}},
    "put": {"path": "/members/1", "body": {"name": "김하나"}},
    "delete": {"path": "/members/1"},
}
GOOD = {
    "GET /members/1": (200, {"name": "김하나", "visits": 3}),
    "POST /visits": (201, {"id": 7}),
    "PUT /members/1": (200, {"name": "김하나"}),
    "DELETE /members/1": (200, {"removed": True}),
}
EVENTS: list[object] = []
