"""Every sentence of the table is said of errors that the pinned PyTorch raises, and of its own only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from grader.marking.cause import Cause
from grader.marking.result import CheckResult, ItemResult, SubmissionResult
from grader.report import torch_errors
from grader.report.pages.findings import find
from grader.report.torch_errors import EXPLAINED, explained

LINEAR, CONVOLUTION = nn.Linear(8, 8), nn.Conv2d(1, 8, 3)
LOGITS = torch.randn(4, 16, 28, 28)
LEVELS = torch.ones(4, 28, 28, dtype=torch.long)
NUMBERS = torch.randn(4)
WHOLE = torch.ones(4, 4, dtype=torch.long)


def weight() -> torch.Tensor:
    return torch.randn(4, requires_grad=True)


def twice() -> None:
    loss = weight().exp().sum()
    loss.backward()
    loss.backward()


def overwritten() -> None:
    y = weight().exp()
    y += 1
    y.sum().backward()


class Late(nn.Module):
    def __init__(self) -> None:
        self.layer = nn.Linear(1, 1)


# What a student might have written -> a word or two of the sentence.
MISTAKES: dict[str, list[Callable[[], object]]] = {
    "rows of another length": [lambda: LINEAR(torch.randn(4, 9)), lambda: NUMBERS[None] @ NUMBERS[None]],
    "another number of channels": [lambda: CONVOLUTION(torch.randn(4, 3, 28, 28))],
    "the images are whole numbers": [
        lambda: CONVOLUTION(torch.ones(4, 1, 28, 28, dtype=torch.long)),
        lambda: CONVOLUTION(torch.ones(4, 1, 28, 28, dtype=torch.uint8)),
        lambda: LINEAR(torch.ones(4, 8, dtype=torch.long)),
    ],
    "numbers of 64 bits (float64": [
        lambda: CONVOLUTION(torch.ones(4, 1, 28, 28).double()),
        lambda: LINEAR(torch.ones(4, 8).double()),
    ],
    "logits come first": [lambda: F.cross_entropy(LEVELS, LOGITS)],
    "exists for floats only": [
        lambda: WHOLE.softmax(1),
        lambda: torch.randn_like(WHOLE),
        lambda: WHOLE.mean(),
    ],
    "cannot take the result in place": [lambda: WHOLE.clone().add_(0.5)],
    ".reshape(...) does the same": [lambda: torch.randn(4, 8).t().view(32)],
    "another number of elements": [
        lambda: NUMBERS.view(4, 9),
        lambda: NUMBERS.reshape(-1, 3),
        lambda: nn.Unflatten(1, (64, 4, 4))(torch.randn(4, 8)),
    ],
    "whose shapes do not fit": [lambda: NUMBERS + torch.randn(5), lambda: NUMBERS * torch.randn(3)],
    "tensors are joined": [
        lambda: torch.cat([torch.randn(4, 3), torch.randn(5, 4)], dim=1),
        lambda: torch.stack([NUMBERS, torch.randn(5)]),
    ],
    "fewer dimensions": [lambda: NUMBERS.sum(dim=1), lambda: NUMBERS.softmax(dim=1)],
    "something flat": [lambda: CONVOLUTION(torch.randn(4, 784))],
    "imgs.squeeze(1)": [
        lambda: F.cross_entropy(LOGITS, LEVELS.unsqueeze(1)),
        lambda: F.cross_entropy(LOGITS, LEVELS[:3]),
    ],
    "classes, whole numbers": [
        lambda: F.cross_entropy(LOGITS, LEVELS.float()),
        lambda: F.cross_entropy(LOGITS, LEVELS.int()),
    ],
    "16 logits stand for": [lambda: F.cross_entropy(LOGITS, LEVELS * 16)],
    "torch.multinomial wants rows": [
        lambda: torch.multinomial(-torch.ones(4, 16), 1),
        lambda: torch.multinomial(LOGITS.softmax(1), 1),
    ],
    "wants probabilities; for logits": [lambda: F.binary_cross_entropy(NUMBERS + 9, torch.ones(4))],
    "the shape of the logits": [lambda: F.binary_cross_entropy_with_logits(torch.randn(4, 1), torch.ones(4))],
    "starts from one number": [lambda: weight().exp().backward()],
    "no longer knows where it came from": [lambda: NUMBERS.sum().backward()],
    "serves one backward()": [twice],
    "was overwritten": [overwritten],
    "a weight is changed in place": [lambda: weight().add_(1)],
    "NumPy knows no gradients": [lambda: weight().numpy()],
    "a plain number is wanted": [lambda: NUMBERS.item(), lambda: float(NUMBERS)],
    "want one truth value": [lambda: bool(NUMBERS > 0)],
    "take it apart first": [
        lambda: LINEAR((NUMBERS,)),
        lambda: (NUMBERS,).shape,  # type: ignore[attr-defined]
    ],
    "with parentheses": [lambda: nn.Sequential(nn.Linear(1, 1), nn.GELU)],
    "super().__init__() has to come first": [Late],
    "a plain list hides them": [lambda: torch.optim.Adam([])],
    "a GPU that is not here": [
        *([] if torch.cuda.is_available() else [lambda: NUMBERS.cuda(), lambda: LINEAR.to("cuda")]),
        *([] if torch.backends.mps.is_available() else [lambda: torch.zeros(2, device="mps")]),
    ],
    "on different devices": [
        lambda: NUMBERS + torch.zeros(4, device="meta"),
        lambda: LINEAR(torch.zeros(2, 8, device="meta")),
    ],
}
# Needs hardware that this machine may lack; the words are those of PyTorch's source.
UNTRIED = {
    "Apple's GPU has no numbers of 64 bits": (
        "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64. "
        "Please use float32 instead."
    ),
}


@pytest.mark.parametrize("words", MISTAKES)
def test_an_error_of_the_pinned_pytorch_is_explained(words: str) -> None:
    for mistake in MISTAKES[words]:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - of many kinds, and what it says is the point
            mistake()
        assert words in explained(str(caught.value)), str(caught.value)


def test_what_only_a_mac_raises_is_explained() -> None:
    for words, message in UNTRIED.items():
        assert words in explained(message)


def test_every_entry_was_tried() -> None:
    said = [*MISTAKES, *UNTRIED]
    assert [sum(words in meaning for words in said) for meaning in EXPLAINED.values()] == [1] * len(EXPLAINED)
    assert len(MISTAKES) >= 20


@pytest.mark.parametrize(
    "message",
    ["name 'x' is not defined", "list index out of range", "'VAE' object has no attribute 'encoder'"],
)
def test_what_python_says_clearly_is_left_as_it_is(message: str) -> None:
    assert explained(message) == ""


def test_the_public_tests_have_the_same_table() -> None:
    ours = Path(torch_errors.__file__)
    public = Path(__file__).parents[1] / "public" / "torch_errors.py"
    assert public.resolve() == ours.resolve()


def failed(hint: str, general: bool, detail: str) -> SubmissionResult:
    cause = Cause("raised", "forward", "RuntimeError", detail=detail, general_hint=general)
    check = CheckResult("keeps_the_batch", "failed", 1.0, f"forward raised {detail}", hint, cause=cause)
    item = ItemResult("1.7.forward", 0.0, 2.0, "failed", (check,))
    return SubmissionResult("s1", 7, "suite", "bwrap", 1.0, (item,))


@pytest.mark.parametrize(
    ("hint", "general", "detail", "shown"),
    [
        ("run the same call on small tensors", True, "shape '[4, 9]' is invalid for input of size 4", "-1"),
        ("", False, "shape '[4, 9]' is invalid for input of size 4", "-1"),
        ("the size is hard-coded", False, "shape '[4, 9]' is invalid for input of size 4", "hard-coded"),
        ("run the same call on small tensors", True, "no words of the table", "run the same call"),
    ],
)
def test_a_page_says_what_an_error_means_where_the_suite_has_no_better_hint(
    hint: str, general: bool, detail: str, shown: str
) -> None:
    (item,) = find(failed(hint, general, detail))
    (finding,) = item.findings
    assert shown in finding.hint
    assert finding.hint_is_general == (shown == "run the same call")
