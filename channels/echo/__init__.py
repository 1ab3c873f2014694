"""Echo: the smallest whole channel, and the template for others."""

from channels.echo.plugin import create

__all__ = ["create"]
