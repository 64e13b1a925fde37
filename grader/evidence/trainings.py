"""The full trainings that the questions ask for, and what is known of how they end."""

from __future__ import annotations

from dataclasses import dataclass

from grader.questions import load_questions
from grader.rubric import load_rubric

BPD = "bits per dimension"
RECONSTRUCTION = "reconstruction loss"


@dataclass(frozen=True)
class Training:
    """A training that a question asks for.

    Attributes:
        run: the name of its folder among the evidence.
        part: `part1` or `part2`.
        z_dim: number of latent dimensions.
        lambda_: weight of the reconstruction loss; None in part 1.
        epochs: how many the question asks for.
        shown: the epochs before the last that the figures show.
        items: those that a person marks by what this training has come to.
        reference: the score that the assignment names; None where it names none.
        figure: the name of the figure with the grid of samples, or the manifold, after the last epoch; empty
            where no question asks for one.
        full: what the score is below at the end of a full training of the recommended networks, and not
            after a third of one (docs/results, with a margin).
    """

    run: str
    part: str
    z_dim: int
    lambda_: float | None
    epochs: int
    shown: tuple[int, ...]
    items: tuple[str, ...]
    reference: float | None
    figure: str
    full: float

    @property
    def measure(self) -> str:
        """What its score is."""
        return BPD if self.part == "part1" else RECONSTRUCTION


def trainings() -> tuple[Training, ...]:
    """Those of the questions that this course asks, in the order of the rubric."""
    numbers = load_questions().numbers
    vae, aae = numbers["vae_epochs"], numbers["aae_epochs"]
    every = (
        Training(
            "vae_z_dim_20",
            "part1",
            20,
            None,
            vae,
            (10,),
            ("1.7.curves", "1.8.grids"),
            0.52,
            f"1.8_samples_epoch_{vae:03}",
            0.537,
        ),
        Training("vae_z_dim_2", "part1", 2, None, vae, (), ("1.9.figure",), 0.78, "1.9_manifold", 0.791),
        Training("aae_z_dim_8_lambda_1", "part2", 8, 1.0, aae, (), ("2.4.figure",), None, "", 0.0425),
        Training(
            "aae_z_dim_8_lambda_0.995",
            "part2",
            8,
            0.995,
            aae,
            (20, 50),
            ("2.5.figures",),
            0.05,
            "2.5_samples",
            0.044,
        ),
        Training(
            "aae_z_dim_2_lambda_1",
            "part2",
            2,
            1.0,
            aae,
            (20, 50),
            ("2.6",),
            None,
            "2.6_autoencoder_samples",
            0.134,
        ),
        Training(
            "aae_z_dim_2_lambda_0.995",
            "part2",
            2,
            0.995,
            aae,
            (20, 50),
            ("2.6",),
            None,
            "2.6_adversarial_samples",
            0.1355,
        ),
        Training(
            "aae_z_dim_20_lambda_0.995",
            "part2",
            20,
            0.995,
            aae,
            (20, 50),
            ("2.7",),
            None,
            "2.7_samples",
            0.0182,
        ),
    )
    asked = {item.id for item in load_rubric().items}
    return tuple(one for one in every if asked.intersection(one.items))
