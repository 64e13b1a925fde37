"""Runs in the box: helpers for the checks of part 1."""

import sys

MODULES = ("utils", "cnn_encoder_decoder", "train_pl")


def replace(name, stand_in):
    """Bind a stand-in wherever the student's modules have bound the helper of this name."""
    for module in MODULES:
        if module in sys.modules and hasattr(sys.modules[module], name):
            setattr(sys.modules[module], name, stand_in)
