"""What can be checked of a full training's claims? Weights and tables, against the student's networks.

Evidence gives no points and suggests none. A claim is looked at where there is something to look at; what
cannot be decided is called so.
"""
