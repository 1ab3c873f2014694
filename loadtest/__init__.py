"""The load tester: seeded traffic against a running site, or through the router on virtual time."""
