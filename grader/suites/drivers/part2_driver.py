"""Runs in the box: helpers for the checks of part 2."""
