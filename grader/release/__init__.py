"""Turns the solutions into what students receive."""
