"""The marks of a course in the formats of other systems. None takes marks made without a sandbox."""
