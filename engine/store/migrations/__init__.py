"""The steps from one shape of the store to the next; `engine.store.migrate` takes them."""
