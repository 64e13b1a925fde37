"""What is said of a mistake in networks and losses: the right words, no false ones, one cause told once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from grader.marking.marker import Marker, MarkingOptions
from grader.marking.result import PASSED
from grader.report.pages.findings import find
from grader.submission import Submission
from tests.suites.part2 import hand_ins
from tests.suites.part2.variants import WRONG
from tests.suites.variants import edited

ENTRIES = {f"{variant.item}: {variant.name}": variant for variant in (*WRONG, *hand_ins.WRONG)}


@dataclass(frozen=True)
class Said:
    """What must be said of an entry, what must not, and in how many findings at most."""

    entry: str
    words: str
    not_words: str = r",:"
    findings: int = 1


CASES = (
    Said("2.5.discriminator: tanh", r"range of a tanh", r"sigmoid"),
    Said("2.5.discriminator: sigmoid", r"range of a sigmoid", r"tanh"),
    Said("2.5.discriminator: ReLU", r"as after a ReLU", r"sigmoid|tanh"),
    Said("2.5.discriminator: tanh(logits / 10) times 2", r"from -2 to 2", r"sigmoid|range of"),
    Said("2.4.autoencoder: tanh on the code", r"range of a tanh", r"sigmoid", findings=2),
    Said("2.4.autoencoder: sigmoid on the image", r"range of a sigmoid", r"ReLU"),
    Said("2.4.autoencoder: images divided by the largest of the batch", r"taken over its own pixels"),
    Said("2.4.autoencoder: LayerNorm on the code", r"fill 0 of 1 dimensions.*LayerNorm"),
    Said("2.4.autoencoder: half precision", r"half precision is not accepted"),
    Said(
        "2.5.autoencoder_loss: losses exchanged in the log",
        r"gen_loss and recon_loss are exchanged in the log",
        r"unweighted|without lambda",
    ),
    Said(
        "2.5.autoencoder_loss: each loss weighted in the log as the other is",
        r"by the weight of the other loss",
        r"is weighted in the log|,:",
    ),
    Said("2.5.autoencoder_loss: losses in the log are weighted", r"gen_loss is weighted in the log"),
    Said("2.5.autoencoder_loss: label smoothing", r"the label is 0\.9 instead of 1"),
    Said("2.5.autoencoder_loss: sigmoid twice", r"sigmoid twice", r"overflows|,:"),
    Said("2.5.autoencoder_loss: the batch is taken to be 64", r"divided by a fixed number \(64\)"),
    Said("2.5.autoencoder_loss: squared errors over 128", r"divided by a fixed number \(128\)"),
    Said("2.5.autoencoder_loss: twice the generator's loss", r"it is twice as large"),
    Said("2.5.autoencoder_loss: half the squared error", r"half as large", r"averaged"),
    Said("2.5.autoencoder_loss: log of a raw logit", r"log of a logit", r"overflow"),
    Said("2.5.autoencoder_loss: lambda the other way round", r"lambda is exchanged", r"cross-entropy"),
    Said("2.5.autoencoder_loss: lambda ignored", r"lambda_ is not used", r"cross-entropy|are off"),
    Said("2.5.autoencoder_loss: log sigmoid overflows", r"logits up to \d+ has", r"NaN for small"),
    # An error in a question that only a diagnosis asks is nothing to tell.
    Said("2.5.autoencoder_loss: far codes refused, the labels flipped", r"labels are flipped", r"too far"),
    Said(
        "2.5.discriminator_loss: one row of numbers for the whole batch", r"all rows of a batch are the same"
    ),
    Said(
        "2.5.discriminator_loss: 64 codes of the prior, whatever the batch",
        r"64 different codes of the prior",
    ),
    Said("2.5.discriminator_loss: labels of 0.9 and 0.1", r"the labels are 0\.9 and 0\.1"),
    Said("2.5.discriminator_loss: half the loss of the fake codes", r"the fake codes counts half as much"),
    Said("2.5.discriminator_loss: summed over the batch", r"it is summed over the batch"),
    Said("2.5.discriminator_loss: the batch is taken to be 64", r"divided by a fixed number \(64\)"),
    Said("2.5.discriminator_loss: hinge", r"hinge"),
    Said("2.5.discriminator_loss: sigmoid twice", r"sigmoid twice", r"overflows"),
    Said("2.5.discriminator_loss: log of a raw logit", r"log of a logit", r"overflow"),
)
EVERY = 4  # of so many one is tried in the default run


@pytest.fixture(scope="module")
def marker() -> Iterator[Marker]:
    """One warm box."""
    marker = Marker(MarkingOptions(seed=1))
    yield marker
    marker.close()


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(said, id=said.entry, marks=[pytest.mark.slow] if index % EVERY else [])
        for index, said in enumerate(CASES)
    ],
)
def test_what_is_said(marker: Marker, solution: dict[str, bytes], said: Said) -> None:
    variant = ENTRIES[said.entry]
    result = marker.mark(Submission("variant", edited(solution, variant)), frozenset({variant.item}))
    assert not result.warnings
    failed = [check for item in result.items for check in item.checks if check.status != PASSED]
    text = "\n".join(f"{check.message} ## {check.hint}" for check in failed)
    assert re.search(said.words, text), text
    assert not re.search(said.not_words, text), text
    (findings,) = (item.findings for item in find(result) if item.result.id == variant.item)
    assert len(findings) <= said.findings, text
