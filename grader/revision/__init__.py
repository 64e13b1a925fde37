"""How are marks revised? By a decision, or by another run, after a look at what moves."""
