"""Item 2.5.training: the two optimizers of `main`.

What an optimizer holds is not asked but tried: it takes steps with gradients that are drawn here, and how the
weights move is worked out here. And what an option of the command line does is seen, not read: `main` runs
twice, the second time with others.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

import pytest
import torch

from grader.box.errors import StudentError
from grader.box.remote import Remote
from grader.limits import PART2_CHUNK_SECONDS as CHUNK_SECONDS
from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed, as_tensor, expect, fail
from grader.suites.part import Part
from grader.suites.part2.short_training import SIDES
from grader.suites.severity import SERIOUS, SLIP

pytestmark = pytest.mark.item("2.5.training")


# Gradients of either sign, and none so small that an optimizer could take it for nothing; and the elements of
# a weight tensor that are looked at.
PATTERN, LOWEST, HIGHEST = 61, 0.7, 1.4
PLACES = 64
# Neither weight decay nor momentum turns a first step around: all of a tensor moves against its gradient. Nor
# does the memory of the first step turn a second one around, where both gradients have one sign.
HIT = 0.99
OPTIONS = {
    "z_dim": 8,  # the default: a size that is fixed in the networks loses points elsewhere
    "batch_size": 16,
    "lambda_": 0.9,
    "ae_lr": 1e-3,
    "d_lr": 5e-3,
    "data_dir": "/tmp/data",
    "epochs": 1,
    "seed": 42,
    "num_workers": 0,
    "no_cuda": True,
    "progress_bar": False,
}


# The second run. By their factors it shows which of the two rates a step follows: no product or quotient of
# them is near another.
FACTORS = {"ae_lr": 10.0, "d_lr": 1 / 25}
CHANGED = {"ae_lr": 1e-2, "d_lr": 2e-4, "lambda_": 0.6, "z_dim": 5}
# How far a step may be from a factor: another model may have other weights in the places that are looked at.
NEAR = 1.9
RATES = {"optimizer_ae": "ae_lr", "optimizer_disc": "d_lr"}
TRAINED_BY = {"optimizer_ae": ("encoder", "decoder"), "optimizer_disc": ("discriminator",)}
# Gradients of weight tensors in turn: Adam and its kin take steps of one length for all, SGD of lengths in a
# ratio of 1e6. Adadelta comes to a ratio of 30, RAdam to 1 after some steps.
SCALES, STEPS = (1e-4, 1e2), 10
MOST_UNEQUAL = 1e4
# Of the learning rate that is asked for: a warm-up may begin low.
SLOWEST = 1e-4


@dataclass
class Step:
    """What steps of an optimizer did to a side: `right` of `total` weight tensors follow their gradient.

    Attributes:
        sizes: mean length of the last step, for each weight tensor.
    """

    right: int
    moved: int
    total: int
    sizes: list[float] = field(default_factory=list)


@dataclass
class Run:
    """A run of `main`: what steps of one of its optimizers do, by side, and what it hands over besides.

    Attributes:
        steps: encoder, decoder and discriminator.
        lambda_: NaN for nothing.
        z_dim: the length of its model's codes, 0 if it cannot be found out.
    """

    steps: dict[str, Step]
    lambda_: float
    z_dim: int


class Main:
    """Runs of `main`, and steps of one of its optimizers with gradients that the grader draws.

    Those of the second run are the first one's, so that its steps are longer by the learning rate alone.
    """

    def __init__(
        self, part2: Part, draw: Draw, name: str, scales: tuple[float, ...] = (1.0,), count: int = 2
    ) -> None:
        self.part, self.draw, self.name, self.scales, self.count = part2, draw, name, scales, count
        self._drawn: dict[int, tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = {}
        part2.driver.prepare(draw.integers(256, 96, 28, 28).to(torch.uint8))

    def run(self, **changed: float) -> Run:
        """Run `main` with options, some of them changed."""
        with self.part.deadline(CHUNK_SECONDS):
            handed_over: Any = self.part.driver.run_main(OPTIONS | changed)
        if handed_over is None:
            fail("main(args) ends without calling train_aae", "call it once for every epoch, as given")
        contents: Any = handed_over.contents() if isinstance(handed_over, Remote) else None
        parts: dict[str, Any] = contents if isinstance(contents, dict) else {}
        sides: Any = parts.get("sizes")
        expect(
            isinstance(sides, list) and len(sides) == len(SIDES) and all(map(has_sizes, sides)),
            f"what main(args) hands to train_aae as {self.name} is no optimizer of the model",
            HOLDERS,
        )
        with self.part.deadline(CHUNK_SECONDS):
            steps = self.steps(handed_over, dict(zip(SIDES, sides, strict=True)))
        return Run(steps, float(parts["lambda_"]), int(parts["z_dim"]))

    def steps(self, handed_over: Remote, sizes: dict[str, dict[str, int]]) -> dict[str, Step]:
        """Take steps: one each along two gradients, and the others along the second."""
        tensors = [(side, name) for side in SIDES for name in sizes[side]]
        total = len(tensors)
        numel = torch.tensor([[sizes[side][name]] for side, name in tensors]).view(total, 1)
        if total not in self._drawn:
            where = self.draw.uniform(total, PLACES, dtype=torch.float64)
            self._drawn[total] = (where, self.gradients(sizes), self.gradients(sizes))
        where, first, second = self._drawn[total]
        places = (where * numel).long().clamp(max=numel - 1)
        handed_over.zero()
        step = handed_over.step
        values = [torch.zeros(total, PLACES, dtype=torch.float64)]
        for gradients, count in ((first, 1), (second, 1), (second, self.count - 3), (second, 1)):
            if count > 0 and len(values) <= self.count:
                found: Any = step(self.name, gradients, places, count)
                values.append(as_tensor(found, "the weights after a step").double().view(total, PLACES))
        self.expect_in_model(handed_over, sizes, tensors, places, values[-1])
        moves = [after - before for before, after in pairwise(values)]
        signs = [gradients.gather(1, places % PATTERN).sign() for gradients in (first, second)]
        right = (moves[0].sign() == -signs[0]).double().mean(1) >= HIT
        again = moves[1].sign() == -signs[1]
        right &= (again | (signs[0] != signs[1])).double().mean(1) >= HIT
        moved = moves[0].any(1) | moves[1].any(1)
        lengths = moves[-1].abs().mean(1)
        result = {}
        for side in SIDES:
            rows = [index for index, (of_side, _) in enumerate(tensors) if of_side == side]
            result[side] = Step(
                int(right[rows].sum()), int(moved[rows].sum()), len(rows), lengths[rows].tolist()
            )
        return result

    def gradients(self, sizes: dict[str, dict[str, int]]) -> torch.Tensor:
        """A gradient for each weight tensor, `[tensors, PATTERN]`."""
        scales = [
            self.scales[index % len(self.scales)] for side in SIDES for index in range(len(sizes[side]))
        ]
        shape = (len(scales), PATTERN)
        size = self.draw.uniform(*shape, low=LOWEST, high=HIGHEST)
        return size * self.draw.normal(*shape).sign() * torch.tensor(scales).view(-1, 1)

    def expect_in_model(
        self,
        handed_over: Remote,
        sizes: dict[str, dict[str, int]],
        tensors: list[tuple[str, str]],
        places: torch.Tensor,
        values: torch.Tensor,
    ) -> None:
        """Fail unless what was said of the smallest side's weights stands in the model's state."""
        side = min(SIDES, key=lambda name: (name not in TRAINED_BY[self.name], sum(sizes[name].values())))
        state: Any = getattr(handed_over.model, side).state_dict()
        state = state if isinstance(state, dict) else {}
        for index, (of_side, name) in enumerate(tensors):
            if of_side != side:
                continue
            value = state.get(name)
            same = (
                isinstance(value, torch.Tensor)
                and value.numel() == sizes[side][name]
                and torch.equal(value.double().flatten()[places[index]], values[index])
            )
            expect(
                same,
                f"a step of {self.name} does not change the weights of the model",
                "train_aae(epoch, model, ...) with the model whose weights the optimizers hold",
            )

    def run_changed(self) -> Run | None:
        """The second run; None if `main` or the networks cannot do with these options.

        A size that is fixed in the networks loses points elsewhere.
        """
        for options in (CHANGED, {**CHANGED, "z_dim": OPTIONS["z_dim"]}):
            try:
                return self.run(**options)
            except (StudentError, CheckFailed) as error:
                if isinstance(error, StudentError) and error.kind in ("timeout", "died"):
                    raise
        return None


def has_sizes(side: Any) -> bool:
    """Whether this tells how many elements the weight tensors of a side have, by name."""
    return isinstance(side, dict) and all(type(size) is int and 0 < size < 2**31 for size in side.values())


def in_words(steps: dict[str, Step]) -> str:
    """What an optimizer's step did."""
    parts = [f"{step.moved} of {step.total} of the {side}'s" for side, step in steps.items()]
    return "a step changes " + ", ".join(parts) + " weight tensors"


def expect_trains(steps: dict[str, Step], name: str, sides: tuple[str, ...], hint: str) -> None:
    """Fail unless a step moves all of these sides down their gradient, and nothing of the others."""
    others = [side for side in SIDES if side not in sides and steps[side].moved]
    missing = [side for side in sides if not steps[side].moved]
    if others and len(missing) == len(sides):
        fail(f"{name} holds another side, the {' and the '.join(others)}: {in_words(steps)}", hint)
    expect(
        any(step.moved for step in steps.values()),
        f"{name} should train all of the {sides[0]}, but a step changes nothing: it holds no weights of the "
        "model, or its learning rate is 0",
        hint,
    )
    for side in sides:
        step = steps[side]
        expect(
            step.moved == step.total > 0, f"{name} should train all of the {side}: {in_words(steps)}", hint
        )
        expect(
            step.right == step.total,
            f"a step of {name} does not move the {side} down its gradient",
            "the loss is to be minimized: no maximize=True, no negative learning rate",
        )
    for side in (side for side in SIDES if side not in sides):
        expect(steps[side].moved == 0, f"{name} should leave the {side} alone: {in_words(steps)}", hint)


HOLDERS = (
    "optimizer_ae: Adam over the parameters of model.encoder and model.decoder, and no others; "
    "optimizer_disc: SGD (or Adam) over those of model.discriminator, and no others"
)


def expect_rate(steps: dict[str, Step], name: str, sides: tuple[str, ...], rate: str) -> None:
    """Fail if the last step is far shorter than the learning rate that `main` is given."""
    longest = max(size for side in sides for size in steps[side].sizes)
    expect(
        longest > SLOWEST * float(str(OPTIONS[rate])),
        f"with --{rate} {OPTIONS[rate]} steps of {name} are at most {longest:.2g} long, "
        "as if its learning rate is 0",
        f"lr=args.{rate}",
    )


def ratios_of(first: Run, second: Run, sides: tuple[str, ...]) -> list[float]:
    """How much longer the steps of the second run are, for each weight tensor of some sides."""
    return [
        new / old
        for side in sides
        for old, new in zip(first.steps[side].sizes, second.steps[side].sizes, strict=False)
        if old > 0 and new > 0
    ]


def follows(ratios: list[float], rate: str) -> bool:
    """Whether steps follow an option; with several groups of weights, some may have a rate of their own."""
    return any(near(ratio, FACTORS[rate]) for ratio in ratios)


def expect_follows_its_option(main: Main, first: Run, second: Run, sides: tuple[str, ...]) -> None:
    """Fail unless steps follow the learning rate of their own option, and no other, from run to run."""
    own = RATES[main.name]
    other = next(rate for rate in FACTORS if rate != own)
    ratios = ratios_of(first, second, sides)
    hint = "lr=args.ae_lr for optimizer_ae, and lr=args.d_lr for optimizer_disc"
    expect(
        not follows(ratios, other),
        f"steps of {main.name} follow --{other} instead of --{own}",
        hint,
        SLIP,
    )
    written_in = bool(ratios) and all(near(ratio, 1.0) for ratio in ratios)
    expect(
        not written_in,
        f"with --{own} {float(str(OPTIONS[own])):g} and with --{own} {CHANGED[own]:g} steps of {main.name} "
        "are of one length, as if its learning rate is written into main",
        hint,
        SLIP,
    )
    expect(
        follows(ratios, own) or not ratios,
        f"with --{own} times {FACTORS[own]:.3g} steps of {main.name} are "
        f"{median(ratios or [1.0]):.3g} times as long",
        hint,
        SLIP,
    )


def holds(run: Run, sides: tuple[str, ...]) -> bool:
    """Whether an optimizer moves all of these sides and nothing else."""
    return all(step.moved == (step.total if side in sides else 0) for side, step in run.steps.items())


def is_exchanged(part2: Part, draw: Draw, first: Run, second: Run | None) -> bool:
    """Whether the two optimizers have each other's sides, or rates: the autoencoder's check loses for it."""
    ae_sides, disc_sides = TRAINED_BY.values()
    sides = holds(first, ae_sides)
    rates = second is not None and follows(ratios_of(first, second, disc_sides), "ae_lr")
    if not (sides or rates):
        return False
    other = Main(part2, draw, "optimizer_ae", SCALES, STEPS)
    first = other.run()
    if sides:
        return holds(first, disc_sides)
    second = other.run_changed()
    return second is not None and follows(ratios_of(first, second, ae_sides), "d_lr")


def near(ratio: float, factor: float) -> bool:
    """Whether a ratio is about this factor."""
    return abs(math.log(ratio / factor)) < math.log(NEAR)


def expect_hands_over_lambda(runs: list[tuple[float, Run]]) -> None:
    """Fail unless each run hands over the lambda_ of its options."""
    hint = "train_aae(..., optimizer_disc, args.lambda_), as given"
    values = [run.lambda_ for _, run in runs]
    expect(
        not any(math.isnan(value) for value in values),
        "lambda_ is not handed over by main(args): train_aae then takes its default of 1",
        hint,
    )
    for option, run in runs:
        if abs(run.lambda_ - option) > 1e-6:
            cause, severity = "", SERIOUS
            if len(runs) > 1 and len(set(values)) == 1:
                cause, severity = ": it is written into main", SLIP
            elif all(abs(value - (1 - due)) < 1e-6 for value, (due, _) in zip(values, runs, strict=True)):
                cause = ": lambda is exchanged with 1 - lambda"
            fail(
                f"with --lambda_ {option:g} main hands lambda_ = {run.lambda_:g} over{cause}", hint, severity
            )


def expect_model_of_its_size(part2: Part, second: Run) -> None:
    """Fail if `main` builds a model of another size than it is told, and the networks can have that one."""
    due = CHANGED["z_dim"]
    if second.z_dim in (0, due):
        return
    try:
        possible = part2.driver.code_length(part2.driver.build(due)) == due
    except StudentError:
        possible = False
    expect(
        not possible,
        f"with --z_dim {due} main trains a model with codes of length {second.z_dim}, as if the length is "
        "written into main",
        "AdversarialAE(z_dim=args.z_dim), as given",
        SLIP,
    )


def test_autoencoders_optimizer_holds_encoder_and_decoder(part2: Part, draw: Draw) -> None:
    main = Main(part2, draw, "optimizer_ae", SCALES, STEPS)
    first = main.run()
    sides, steps = TRAINED_BY[main.name], first.steps
    expect_trains(steps, main.name, sides, HOLDERS)
    expect_rate(steps, main.name, sides, "ae_lr")
    small, large = ([size for side in sides for size in steps[side].sizes[start::2]] for start in range(2))
    ratio = median(large or [1.0]) / max(median(small), 1e-30)
    expect(
        ratio < MOST_UNEQUAL,
        f"steps of optimizer_ae grow with the gradient ({ratio:.2g} times as long for one of "
        f"{SCALES[1] / SCALES[0]:.2g} times the size): that is SGD, with which the autoencoder hardly learns",
        "torch.optim.Adam for the autoencoder",
    )
    second = main.run_changed()
    runs = [(float(str(OPTIONS["lambda_"])), first)]
    expect_hands_over_lambda(runs if second is None else [*runs, (CHANGED["lambda_"], second)])
    if second is not None:
        expect_follows_its_option(main, first, second, sides)
        expect_model_of_its_size(part2, second)


def test_discriminators_optimizer_holds_the_discriminator(part2: Part, draw: Draw) -> None:
    main = Main(part2, draw, "optimizer_disc")
    sides = TRAINED_BY[main.name]
    first, second = main.run(), None
    try:
        expect_trains(first.steps, main.name, sides, HOLDERS)
        expect_rate(first.steps, main.name, sides, "d_lr")
        second = main.run_changed()
        if second is not None:
            expect_follows_its_option(main, first, second, sides)
    except CheckFailed:
        # Another turn would go on from where its optimizers are now.
        if not is_exchanged(part2, draw, first, second or main.run_changed()):
            raise
