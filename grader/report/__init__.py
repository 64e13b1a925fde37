"""Show results. Nothing here decides marks."""
