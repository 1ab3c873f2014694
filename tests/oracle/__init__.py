"""A second, naive implementation of the router's rules, to compare the real one with."""

from tests.oracle.oracle import Oracle
from tests.oracle.refusal import Code, Refusal

__all__ = ["Code", "Oracle", "Refusal"]
