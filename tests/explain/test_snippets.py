"""What is said of wrong submissions, and whether plain Python shows it, too."""

from __future__ import annotations

import io
import re
from functools import cache

import numpy as np
import pytest
import torch
from PIL import Image

from grader.explain.as_text import as_lines
from grader.explain.command import explanations
from grader.explain.snippet import _printed
from grader.marking.marker import Marker
from tests.bank.entries import TRAININGS, wrong
from tests.explain.entries import OPTIONS, Desk, entry, run_snippet
from tests.suites.variants import solution

# Of every way to show a difference: a value, a gradient, a shape, a condition, an error, random numbers.
SAMPLE = {
    "1.7.kld: one half is missing": "came",
    "1.7.kld: detached log_std": "condition",
    "1.7.bpd: the batch counts": "condition",
    "1.7.reparameterize: a scale of 0.98": "call",
    "1.7.reparameterize: two dimensions only": "error",
    "1.9.manifold: latents within 1.7": "condition",
    "2.4.autoencoder: codes normalised in forward": "came",
    "2.4.autoencoder: detached code": "call",
    "2.4.autoencoder: half precision": "came",
    "2.5.discriminator: linear": "condition",
    "2.5.discriminator_loss: losses exchanged in the log": "condition",
    "2.4.autoencoder: forward in the other order": "condition",
}
# What the code does by itself, without the grader's loops: for these there is plain Python.
DIRECT = ("1.7.kld", "1.7.bpd", "1.7.reparameterize")


@pytest.fixture(scope="module")
def desk():
    made = Desk(Marker(OPTIONS))
    yield made
    made.close()


@pytest.fixture(scope="module")
def first(desk):
    """Explains the first failed check of an entry, once."""
    return cache(lambda name: desk.explain(entry(name))[0])


def shows_difference(one) -> bool:
    """Whether there is more to read than the sentence of the results."""
    return bool(one.call and one.came and (one.expected or one.condition or one.now.cause)) or bool(
        one.statistics
    )


def expect_shown(one, files, folder) -> None:
    """The snippet shows what the check found: another value, a condition that does not hold, or the error."""
    ran = run_snippet(one, files, folder)
    if one.snippet.shows == "error":
        assert ran.returncode != 0
        raised = ran.stderr.splitlines()[-1]
        # A function in place of a network fails in torch, where the grader's stand-in says what it takes.
        replaced = "in place of yours" in one.snippet.code and raised.startswith("RuntimeError: mm: mat1")
        assert one.now.cause.exception in raised or replaced
        return
    if ran.returncode:  # the mistake itself: no gradient, or a signature that is not the given one
        assert re.search("does not require grad|unexpected keyword argument", ran.stderr), ran.stderr
        return
    if one.snippet.shows == "condition":
        assert re.search("this should be True: False|this should be False: True", ran.stdout), ran.stdout
    elif one.snippet.shows == "came" and one.differences:
        largest = max(abs(row.came - row.expected) for row in one.differences)
        found = float(re.search(r"largest difference: tensor\(([-+.\de]+)", ran.stdout)[1])
        assert found == pytest.approx(largest, rel=1e-2)
    else:
        assert re.search("came: |shape: |weights without a gradient: ", ran.stdout)


@pytest.mark.parametrize("name", SAMPLE)
def test_plain_python_shows_what_the_check_found(name, desk, first, tmp_path):
    one, found = entry(name), first(name)
    assert found.agreement != "other"
    assert shows_difference(found)
    assert found.snippet is not None, found.why_none
    assert found.snippet.shows == SAMPLE[name]
    expect_shown(found, desk.submission(one).files, tmp_path)


def test_a_value_stands_beside_the_one_that_is_due(first):
    found = first("1.7.kld: one half is missing")
    assert found.agreement == "same"
    assert found.call == ("came = KLD(mean, log_std)",)
    assert [value.name for value in found.inputs] == ["mean", "log_std"]
    assert found.inputs[0].lines[0] == "float32 [7, 5]"
    assert found.differing == (7, 7)
    for row in found.differences:
        assert row.came == pytest.approx(2 * row.expected, rel=1e-5)
    worst = found.differences[0]
    assert f"one is {worst.came:.5g} instead of {worst.expected:.5g}" in found.before.message
    text = "\n".join(as_lines(found))
    assert "Where they differ: 7 of 7" in text
    assert "run again: the same result as in results.json" in text


def test_a_gradient_that_is_cut_is_named_by_its_weights(first):
    found = first("2.4.autoencoder: detached code")
    assert found.agreement == "same"  # though all that the check received is still held
    assert any("torch.autograd.grad" in line for line in found.call)
    count, *still = found.came
    assert count == f"gradients for 30 weight tensors, none for {len(still)} of them:"
    assert "encoder.net.0.weight" in still
    assert "decoder.net.0.weight" not in still


def test_an_error_stands_with_the_line_that_raised_it_and_no_values_of_the_suite(first):
    found = first("1.7.reparameterize: two dimensions only")
    assert found.came[0] == found.now.message
    assert found.came[1].startswith("  part1/utils.py, line ")
    code = entry("1.7.reparameterize: two dimensions only").files["part1/utils.py"].decode().splitlines()
    assert found.came[2].strip() == code[found.now.cause.line - 1].strip()
    assert not found.compared


def test_a_failure_that_the_check_found_is_no_surprise_to_it(first):
    found = first("1.7.kld: detached log_std")
    assert found.surprise == ""
    assert found.now.message


def test_inputs_are_called_as_the_functions_parameters(first):
    found = first("2.5.autoencoder_loss: lambda the other way round")
    assert [one.name for one in found.inputs][:3] == ["x", "recon_x", "z_fake"]


def test_a_manifold_stands_beside_the_one_that_is_due(first, tmp_path):
    found = first("1.9.manifold: mirrored images")
    came, due = (Image.open(io.BytesIO(one.content)) for one in found.pictures)
    assert np.abs(np.asarray(came, dtype=float) - np.asarray(due, dtype=float)).mean() > 10
    right = {**solution("part1"), **solution("part2")}
    assert run_snippet(found, right, tmp_path).returncode == 0
    drawn = Image.open(tmp_path / "came.png").convert("L")
    assert np.abs(np.asarray(drawn, dtype=float) - np.asarray(due, dtype=float)).max() <= 1


def test_values_that_would_fill_a_screen_are_printed_briefly():
    assert _printed("came", torch.ones(3)) == ['print("came:", came)']
    assert "shapes" in _printed("came", (torch.ones(4, 20), torch.ones(4, 20)))[0]
    assert _printed("came", (torch.tensor(1.0), torch.tensor(2.0))) == ['print("came:", came)']
    assert 'save_image(came, "came.png")' in _printed("came", torch.ones(3, 182, 182))
    assert _printed("came", torch.ones(300, 400)) == ['print("came:", came)']


def test_a_statistic_stands_beside_its_limit_with_the_chance_of_right_code(first):
    found = first("1.7.reparameterize: a scale of 0.98")
    (figure,) = found.statistics
    assert figure.name == "normal: variance"
    assert figure.value > figure.limit
    assert 0 < figure.chance < 1e-6
    assert any("instead of 1" in line for line in (found.now.message,))
    assert len(found.distribution) > 10
    assert found.pictures[0].content.lstrip().startswith(b"<?xml")


def test_of_checks_with_the_same_message_one_is_run_again(desk):
    original = desk.original(entry("1.7.encoder: activation not instantiated"))
    found = explanations(original, "shown")
    assert sum(1 + len(one.others) for one in found) == len(original.checks)
    assert len(found) < len(original.checks)


@pytest.mark.slow
@pytest.mark.parametrize("one", wrong(), ids=lambda one: one.name)
def test_every_mistake_is_explained(one, desk, tmp_path):
    found = desk.explain(one, most=3)
    assert any(shows_difference(each) for each in found)
    if one.item in DIRECT:
        assert all(each.snippet is not None for each in found)
    if one.item not in TRAININGS:
        assert all(each.agreement != "other" for each in found)
    for number, each in enumerate(found):
        if each.snippet is not None:
            expect_shown(each, desk.submission(one).files, tmp_path / str(number))
