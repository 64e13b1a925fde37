"""How untrusted code runs: a bubblewrap box, a wire, and proxies that make it feel local.

The trusted side is this package; everything under `inside/` runs in the box together with the
student's code and is as untrusted as that. `wire.py` is used by both.
"""
