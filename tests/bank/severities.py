"""How bad each family of mistakes is: what an item should lose for one.

A slip: right in ordinary use, and off in a detail. Serious: what is asked for comes out wrong. Whole: what is
asked for is not there. The suites decide by check (`grader/marking/prices.toml`) and by what a failure finds
out; here stands what that should amount to, and `python -m tests.bank.prices` compares.
"""

from __future__ import annotations

from grader.suites.severity import SERIOUS, SLIP, WHOLE
from tests.bank.entries import Entry

# The share of an item, from and to.
BANDS = {SLIP: (0.10, 0.25), SERIOUS: (0.40, 0.60), WHOLE: (1.0, 1.0)}

SLIPS = (
    "limited",
    "batch reduced",
    "dimension kept",
    "not one number",
    "wrong dimensions counted",
    "size fixed",
    "image size",
    "batch dimension lost",
    "channel dimension",
    "output dimension lost",
    "number of outputs",
    "number of results",
    "device",
    "given assertion",
    "codes changed in forward",
    "signature",
    "range of the image",
    "wrong grey levels",
    "level off by one",
    "mirrored",
    "order of the grid",
    "layout",
    "grid size",
    "overflow",
    "log weighted",
    "log incomplete",
    "log exchanged",
    "log weights exchanged",
    "number of real codes",
    "accuracy threshold",
    "accuracy of one kind",
    "rate ignored",
    "option without effect",
    "options exchanged",
    "option misused",
)
MISSING = (
    "not divided by the size",
    "dtype",
    "half precision",
    "layer not instantiated",
    "input ignored",
    "logits ignored",
    "one image everywhere",
    "log of a logit",
    "decoder not used",
)
# By family and item, where it is another than elsewhere.
EXCEPTIONS = {
    ("nothing drawn", "1.7.reparameterize"): WHOLE,  # drawing is all that is asked for
    ("no update", "2.4.reconstruction"): WHOLE,  # so is learning
    ("layer not instantiated", "2.4.autoencoder"): SERIOUS,  # one of two networks
    ("half precision", "2.4.autoencoder"): SERIOUS,  # one of two networks
}


def severity(entry: Entry) -> str:
    """How bad the mistake of a wrong entry is."""
    usual = SLIP if entry.family in SLIPS else WHOLE if entry.family in MISSING else SERIOUS
    return EXCEPTIONS.get((entry.family, entry.item), usual)
