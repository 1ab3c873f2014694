"""Statistics: a process of its own that follows the journal and answers SQL."""
