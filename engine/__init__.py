"""Paidui's engine: the trio service around the routing core."""
