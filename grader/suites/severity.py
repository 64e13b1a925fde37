"""How bad a failure is. What that costs is for `grader.marking.prices`."""

SLIP, SERIOUS, WHOLE = SEVERITIES = ("slip", "serious", "whole")
