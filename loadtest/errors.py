"""What the load tester refuses to start with, and why it may have to stop."""

from engine.errors import PaiduiError


class InputError(PaiduiError):
    """A file, a scenario or a flag that cannot be used; the text says where and what to write instead."""


class FloodError(PaiduiError):
    """The site under test could not be reached, or left before the flood was over."""
