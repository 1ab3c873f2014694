"""What the load tester refuses to start with."""


class InputError(Exception):
    """A file, a scenario or a flag that cannot be used; the text says where and what to write instead."""


class FloodError(Exception):
    """The site under test could not be reached, or left before the flood was over."""
