"""Which checks make which points."""
