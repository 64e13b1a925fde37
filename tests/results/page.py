"""Writes docs/results.md: what the trainings have come to, beside the references, and what is not done."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from grader.files import write_atomically
from tests.results.published import COLUMNS, SCORES, State, write_table
from tests.results.trainings import (
    EXTRA,
    LAMBDAS,
    SEED_TRAININGS,
    SEEDS,
    TRAININGS,
    Places,
    Training,
    shown,
    state,
)

# The highest values that count as reached: of the test bpd, and of the mean reconstruction loss over the
# training set, which has to be below its reference.
REFERENCES = {"vae-z20": 0.52, "vae-z2": 0.78, "aae-z8-lambda0.995": 0.05, "aae-z8-lambda1": 0.05}
NOT_DONE = "not done yet"
TRAINED = 0.5  # of the mean image's score: a run that got stuck is above the whole of it
# What a run draws, with the text below it.
FIGURES = {
    1: {
        "bpd_curves.png": "bits per dimension",
        "samples_epoch_000.png": "samples before training",
        "samples_epoch_010.png": "samples after 10 epochs",
        "samples_epoch_080.png": "samples after 80 epochs",
        "manifold.png": "the manifold",
    },
    2: {
        "loss_curves.png": "losses",
        "reconstructions_by_digit.png": "reconstructions of every digit",
        "reconstructions_over_time.png": "reconstructions during training",
        "samples_over_time.png": "samples during training",
    },
}
HEAD = """# Full-length results

What the solutions come to on MNIST at their default settings. `make results` trains what is missing, goes on
where it was stopped, and writes this page. The metrics of every epoch are in CSV files beside the figures,
and [scores.csv](results/scores.csv) has a line for every finished run with its command.

```sh
make results MNIST_ROOT=data [JOBS=2] [THREADS=1] [EXTRA=yes]
```
"""


def write_page(docs: Path, places: Places, extra: bool, guesses: tuple[float, float], note: str = "") -> Path:
    """Writes the page with its figures and tables.

    Args:
        docs: receives `results.md` and `results/`.
        places: where the trainings have worked.
        extra: show the run for question 2.7 even if it has not begun.
        guesses: squared errors of an all-black image, and of the mean image.
        note: stands below the title, where these are not the full results.
    """
    folder = docs / "results"
    folder.mkdir(parents=True, exist_ok=True)
    states = {
        training: reached
        for training in TRAININGS + EXTRA
        if (reached := state(training, places)).rows or extra or training in TRAININGS
    }
    lines = [HEAD, *([f"**{note}**", ""] if note else [])]
    lines += ["## Numbers", "", *_numbers(states), ""]
    seeds = {training: state(training, places) for training in SEED_TRAININGS}
    scores = {training.name: reached.score for training, reached in seeds.items()}
    lines += ["## Does every seed train?", "", *_seeds(scores, guesses), ""]
    write_table(folder / SCORES, COLUMNS, _scores(states | seeds))
    for training, reached in states.items():
        lines += [f"## {training.title[0].upper()}{training.title[1:]}", ""]
        lines += [*_section(training, reached, places, folder), ""]
    page = docs / "results.md"
    write_atomically(page, ("\n".join(lines).rstrip() + "\n").encode())
    return page


def _numbers(states: dict[Training, State]) -> list[str]:
    lines = ["| training | epochs | measure | result | reference |", "|---|---|---|---|---|"]
    for training, reached in states.items():
        measure = "test bpd" if training.part == 1 else "reconstruction loss over the training set"
        result = NOT_DONE if reached.score is None else f"{reached.score:.4f}"
        epochs = f"{reached.epochs} of {training.epochs}"
        lines.append(f"| {training.title} | {epochs} | {measure} | {result} | {verdict(training, states)} |")
    return lines


def _scores(states: dict[Training, State]) -> list[tuple[object, ...]]:
    """The lines of the table of all that is done."""
    return [
        (training.name, shown(training), reached.epochs, training.measure, reached.score, reached.machine)
        for training, reached in states.items()
        if reached.score is not None
    ]


def verdict(training: Training, states: dict[Training, State]) -> str:
    """The reference, and whether the result keeps it; an empty text for runs without one."""
    if training.name not in REFERENCES:
        return ""
    limit, score = REFERENCES[training.name], states[training].score
    wanted = f"{'at most' if training.part == 1 else 'below'} {limit}"
    if training.name == "aae-z8-lambda1":
        wanted += ", and below that at λ = 0.995"
        others = [its.score for other, its in states.items() if other.name == "aae-z8-lambda0.995"]
        if score is not None and others[0] is None and score < limit:
            return f"{wanted}: the first is reached, the other run is {NOT_DONE}"
        limit = min(limit, *(other for other in others if other is not None), limit)
    if score is None:
        return wanted
    kept = score <= limit if training.part == 1 else score < limit
    return f"{wanted}: {'reached' if kept else '**missed**'}"


def _seeds(scores: dict[str, float | None], guesses: tuple[float, float]) -> list[str]:
    black, mean = guesses
    limit = TRAINED * mean
    done = [score for score in scores.values() if score is not None]
    trained = sum(score < limit for score in done)
    left = len(scores) - len(done)
    rest = f"; {left} are {NOT_DONE}" if left else ""
    lines = [
        "One epoch of MNIST with 8 latent dimensions from each of ten seeds: the reconstruction loss over "
        f"the training set. An all-black image scores {black:.3f}, the mean image {mean:.3f}; a run counts "
        f"as trained below half of that, {limit:.3f}. [Black images](handout/black-images.md) tells what can "
        "go wrong.",
        "",
        f"Trained: {trained} of the {len(done)} runs that are done{rest}.",
        "",
        "| seed | " + " | ".join(f"λ = {lambda_}" for lambda_ in LAMBDAS) + " |",
        "|---" * (1 + len(LAMBDAS)) + "|",
    ]
    for seed in SEEDS:
        cells = [_seed_cell(scores[f"seed{seed}-lambda{lambda_}"], limit) for lambda_ in LAMBDAS]
        lines.append(f"| {seed} | {' | '.join(cells)} |")
    return lines


def _seed_cell(score: float | None, limit: float) -> str:
    if score is None:
        return NOT_DONE
    return f"{score:.4f}" if score < limit else f"**{score:.4f}, not trained**"


def _section(training: Training, reached: State, places: Places, folder: Path) -> list[str]:
    command = shown(training)
    if not reached.rows:
        return [f"`{command}` is {NOT_DONE}."]
    write_table(
        folder / f"{training.name}.csv",
        list(reached.rows[0]),
        [list(row.values()) for row in reached.rows],
    )
    minutes = sum(float(row["seconds"]) for row in reached.rows) / 60
    done = "" if reached.score is not None else f" **{NOT_DONE.capitalize()}**: this is what is there so far."
    machine = f" ({reached.machine})" if reached.machine else ""
    lines = [
        f"`{command}`: {reached.epochs} of {training.epochs} epochs, {minutes:.0f} minutes of training"
        f"{machine}; [metrics](results/{training.name}.csv).{done}",
    ]
    for name, text in FIGURES[training.part].items():
        drawn = places.logs(training) / name
        figure = folder / f"{training.name}-{name.replace('_', '-')}"
        if drawn.exists():
            compress(drawn, figure)
        if figure.exists():
            lines += ["", f"![{training.title}: {text}](results/{figure.name})"]
    return lines


def compress(source: Path, target: Path, colours: int = 32) -> None:
    """Copies a PNG with fewer colours: grids of grey images and thin curves lose nothing that shows."""
    with Image.open(source) as image:
        buffer = io.BytesIO()
        image.convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    write_atomically(target, buffer.getvalue())
