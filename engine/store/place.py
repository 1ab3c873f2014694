"""Where a site's store is."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from engine.config_servers import store_url_fault
from engine.config_types import SiteConfig, StoreSection
from engine.errors import ConfigError


def place_of(site: SiteConfig) -> Path | URL:
    """Return the file of a site's store, or its PostgreSQL's URL.

    Raises:
        ConfigError: the URL cannot be had; the text names the key.
    """
    if (said := _said(site.store)) is None:
        return site.data / "store.sqlite"
    key, url = said
    try:
        if (fault := store_url_fault(url)) is None:
            return make_url(url)
    except ArgumentError:
        fault = "is not a URL"
    raise ConfigError([f"store.{key}: {fault}"])


def _said(section: StoreSection) -> tuple[str, str] | None:
    """The key that gives the URL, and the URL."""
    if section.url is not None:
        return "url", section.url
    if section.url_env is not None:
        if not (url := os.environ.get(section.url_env, "").strip()):
            raise ConfigError(
                [f"store.url_env: the variable {section.url_env} is not set; set it to the URL"]
            )
        return "url_env", url
    if section.url_file is not None:
        try:
            return "url_file", section.url_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([f"store.url_file: {section.url_file}: cannot be read: {error}"]) from error
    return None
