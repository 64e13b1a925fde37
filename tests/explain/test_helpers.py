"""What is said of a check that goes through the grader's helpers in the sandbox."""

from __future__ import annotations

import pytest
import torch

from grader.box import wire
from grader.explain.failure import Failure, Place
from grader.explain.helpers import helper_called, steps_of
from grader.explain.transcript import Exchange, Transcript
from grader.explain.which_call import find_call

MODULE, UPDATES, SNAPSHOTS, STATE, MODEL, EVAL = (
    wire.Reference(number, kind)
    for number, kind in enumerate(("module", "function", "Snapshots", "method", "AdversarialAE", "method"))
)


def called(target: wire.Reference, *arguments: object, value: object = None) -> Exchange:
    return Exchange(0, "call", (target, arguments, {}), {"value": value})


def transcript_of(module: str, function: str, made: wire.Reference, method: str) -> Transcript:
    """A driver is loaded, one of its functions makes an object, and a method of that is called."""
    found = Transcript()
    found.exchanges = [
        Exchange(0, "load", (module,), MODULE),
        Exchange(0, "get", (MODULE, function), UPDATES),
        called(UPDATES, value=made),
        Exchange(0, "get", (made, method), STATE),
        called(STATE, 2, value={"weight": torch.ones(2)}),
    ]
    return found


def test_a_method_of_what_a_helper_has_made_says_what_it_does():
    transcript = transcript_of("part2_driver", "updates", SNAPSHOTS, "state")
    own = helper_called(transcript, transcript.exchanges[-1])
    assert own is not None
    assert own.name == "Snapshots.state"
    assert own.purpose
    assert own.parameters == ("index",)
    assert [line.partition(":")[0] for line in steps_of(transcript)] == ["updates", "Snapshots.state"]


def test_a_method_of_the_students_model_is_no_helper():
    transcript = transcript_of("part2_driver", "build", MODEL, "state")
    assert helper_called(transcript, transcript.exchanges[-1]) is None


@pytest.mark.parametrize("part", ["part1", "part2"])
def test_each_part_describes_helpers_of_its_own(part):
    transcript = transcript_of(f"{part}_driver", "build", MODEL, "eval")
    own = helper_called(transcript, transcript.exchanges[2])
    assert own is not None
    assert ("VAE" in own.purpose) == (part == "part1"), own.purpose


def test_a_call_that_only_fills_in_a_message_is_not_what_a_check_is_about():
    transcript = Transcript()
    after, rates = wire.Reference(7, "function"), wire.Reference(8, "function")
    weights = {"weight": torch.ones(2)}
    transcript.exchanges = [
        Exchange(0, "load", ("part1_driver",), MODULE),
        Exchange(0, "get", (MODULE, "after_fit"), after),
        called(after, value=weights),
        Exchange(0, "get", (MODULE, "rates_of"), rates),
        called(rates, value=[0.01]),
    ]
    failure = Failure(places=[Place(None, 1, {"slow": weights}, {})])
    found = find_call(failure, None, transcript)
    assert found is not None
    assert found.exchange is transcript.exchanges[2]
