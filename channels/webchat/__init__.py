"""Web chat: customers talk to agents from a page of this site."""

from channels.webchat.plugin import create

__all__ = ["create"]
