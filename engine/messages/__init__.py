"""The messages themselves, one file per sort; import them from `engine.model`."""
