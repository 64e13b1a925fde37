"""The full-length trainings, and docs/results.md."""
