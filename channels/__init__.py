"""Channels: how contacts come in. One folder each; README.md says how to write another."""
