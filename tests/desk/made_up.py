"""Answers that students might have written: put together from true and false sentences."""

from __future__ import annotations

import random
import re
from functools import cache

from grader.release.answers import ANSWERS, load_answers

EMPTY, COPIED, NEARLY, MODEL = 0.06, 0.05, 0.05, 0.01  # shares of the answers
OPENINGS = ("", "", "", "I think that ", "In short: ", "As we saw in the lecture, ", "My answer: ")
LINKS = ("", "", "Moreover, ", "So ", "Also, ", "Therefore, ")
OTHER_WORDS = {
    "usually": "mostly",
    "therefore": "so",
    "also": "too",
    "one": "we",
    "a number": "an amount",
    "image": "picture",
    "images": "pictures",
    "samples": "draws",
    "large": "big",
    "shows": "tells",
    "makes": "gives",
}
SEEN = {
    "1.7.curves": (
        "Both curves fall quickly in the first ten epochs and are flat from about epoch 50 on: training has "
        "converged.",
        "The validation curve stays close to the training curve: I see hardly any overfitting.",
        "There is a small gap between training and validation, about 0.01 bpd: a little overfitting.",
        "The test score is 0.53 bpd, close to the last validation value.",
        "The curve wiggles a lot, so the training is unstable.",
        "The loss goes from 560 to 280 nats.",
    ),
    "1.8.grids": (
        "Before training there is only noise, since the decoder gives every grey level the same probability.",
        "After 10 epochs one sees strokes and some digits, but many are no digits at all.",
        "After 80 epochs most look like digits; the borders are still frayed, for every pixel is drawn "
        "by itself.",
        "Some samples are mixtures of two digits, such as 4 and 9.",
        "The quality gets better and better with the epochs.",
        "More training would make the borders sharp.",
    ),
    "1.9.figure": (
        "Digits that look alike lie beside one another: 4, 7 and 9 share a region.",
        "Between two digits there are smooth transitions, images that are a bit of both.",
        "Zeros and ones lie at opposite ends of the plane.",
        "The images in between are blurry, for the decoder gives the mean of both.",
        "There is no pattern, the digits are randomly distributed.",
    ),
    "2.4.figure": (
        "The reconstructions are close to the originals, but smoother.",
        "All ten digits can be recognized; the loss at the end is 0.021.",
        "Thin strokes get lost, most of all in the 4 and the 8.",
        "With lambda = 1 this is a plain autoencoder, so there is no regularization.",
    ),
    "2.5.figures": (
        "Reconstructions are sharp from epoch 20 on; the loss at the end is 0.031.",
        "Samples are blurry blobs at first and look like digits after 50 epochs.",
        "Some samples are no digits, where q(z) leaves holes under the prior.",
        "The accuracy of the discriminator is near 0.5, so it failed to learn.",
    ),
    "2.6": (
        "Both models give similar samples. In two dimensions the codes of the plain autoencoder fill the "
        "region around the origin densely, so a draw from the prior usually lies near some code.",
        "Both decoders are continuous and have the same bottleneck, so they interpolate between the codes in "
        "the same way.",
        "With 8 dimensions it would differ: codes lie on a thin part of the space, and the prior misses it.",
        "Lambda is 0.995, which is nearly 1, so both are nearly the same model.",
        "The autoencoder has learned the prior by itself.",
        "It has memorized the training images.",
    ),
}


def answer_of(student: int, item: str, seed: int = 1) -> str | None:
    """A student's answer to a question, Markdown; None where they left it blank.

    Args:
        student: their number.
        item: id of the question, such as `1.1`.
        seed: another one makes another course.
    """
    draw = random.Random(f"{seed}/{item}/{student}")
    kind = draw.random()
    if kind < EMPTY:
        return None
    if kind < EMPTY + COPIED:
        return _composed(random.Random(f"{seed}/{item}/shared/{draw.randrange(3)}"), item, 0.75)
    if kind < EMPTY + COPIED + NEARLY:
        shared = _composed(random.Random(f"{seed}/{item}/shared/{draw.randrange(3)}"), item, 0.75)
        return _mistyped(draw, shared)
    if kind < EMPTY + COPIED + NEARLY + MODEL:
        return load_answers()[item].text
    ability = random.Random(f"{seed}/ability/{student}").betavariate(3, 2)
    return _composed(draw, item, ability)


def _composed(draw: random.Random, item: str, ability: float) -> str:
    """Sentences in an order, with openings and links; more true ones the better the student."""
    right, wrong = _sentences(item)
    chosen = [text for text in right if draw.random() < 0.15 + 0.6 * ability]
    chosen = chosen[: 3 + int(5 * ability)] or [draw.choice(right)]
    chosen += [text for text in wrong if draw.random() < 0.3 * (1 - ability)]
    if draw.random() < 0.25:
        draw.shuffle(chosen)
    said = []
    for place, text in enumerate(chosen):
        opening = draw.choice(LINKS if place else OPENINGS)
        said.append(opening + (text if not opening or opening.endswith(": ") else _lower(text)))
    text = " ".join(_reworded(draw, one) for one in said)
    if draw.random() < 0.2:
        return "\n".join(f"{number}. {one}" for number, one in enumerate(said, 1))
    return text


@cache
def _sentences(item: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """True and false sentences about a question."""
    guide = load_answers()[item]
    if item in SEEN:
        everything = SEEN[item]
        return everything[:3], everything[3:]
    text = guide.text
    if guide.choices:  # of four issues with NeRF, each student takes another one
        text = "\n\n".join(file.read_text() for file in sorted((ANSWERS / item).glob("*.md")))
    right = [one for one in _split(text) if 30 < len(one) < 260]
    wrong = [_sentence(entry.text.split(". ")[0]) for entry in guide.misconceptions if entry.points]
    earns = [_sentence(entry.text) for entry in guide.marks]
    return tuple((earns + right)[:12]), tuple(wrong)


def _split(text: str) -> list[str]:
    """The sentences of a text, without headings and formulas that stand apart."""
    plain = re.sub(r"\$\$.*?\$\$", " ", text, flags=re.DOTALL)
    plain = re.sub(r"^#.*$", " ", plain, flags=re.MULTILINE)
    plain = re.sub(r"^\s*(?:\d+\.|-)\s*", "", plain, flags=re.MULTILINE)
    pieces = re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(plain.split()))
    return [piece for piece in pieces if piece.count("$") % 2 == 0 and piece.endswith(".")]


def _sentence(text: str) -> str:
    text = text.strip().rstrip(".:;")
    return text[:1].upper() + text[1:] + "."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _reworded(draw: random.Random, text: str) -> str:
    for word, other in OTHER_WORDS.items():
        if draw.random() < 0.4:
            text = re.sub(rf"\b{word}\b", other, text)
    return text


def _mistyped(draw: random.Random, text: str) -> str:
    """Nearly the same text: a few letters swapped, a word more."""
    letters = list(text)
    for _ in range(2):
        place = draw.randrange(len(letters) - 1)
        if letters[place].isalpha() and letters[place + 1].isalpha():
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
    return "".join(letters) + draw.choice((" I hope this is right.", "", " That is all."))
