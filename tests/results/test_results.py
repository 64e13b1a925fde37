"""The page of results tells what is done, what is not, and what misses its reference."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.results.__main__ import ALL, chosen, main, pending
from tests.results.images import RAW, guesses, write_part
from tests.results.page import REFERENCES, verdict, write_page
from tests.results.published import State
from tests.results.trainings import (
    SEED_TRAININGS,
    TRAININGS,
    Places,
    command,
    machine,
    note_machine,
    run_all,
    state,
)
from tests.solutions.small_mnist import write_mnist

GUESSES = (0.448, 0.269)


@pytest.fixture
def places(tmp_path) -> Places:
    return Places(tmp_path / "data", tmp_path / "output")


def finish(name: str, places: Places, score: float, epochs: int | None = None) -> None:
    """Leaves what a training leaves."""
    training = ALL[name]
    folder = places.logs(training)
    folder.mkdir(parents=True)
    rows = range(1, (epochs or training.epochs) + 1)
    loss = "val_bpd" if training.part == 1 else "recon_loss"
    (folder / "metrics.csv").write_text(
        f"epoch,{loss},seconds\n" + "".join(f"{epoch},{score},60\n" for epoch in rows)
    )
    measure = "test_bpd" if training.part == 1 else "train_reconstruction_loss"
    (folder / "summary.csv").write_text(f"{measure}\n{score}\n")


def row(page: str, title: str) -> str:
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {title} |")]
    return line


def test_what_is_not_done_says_so(tmp_path, places):
    finish("vae-z20", places, 0.519)
    finish("vae-z2", places, 0.9, epochs=3)
    page = write_page(tmp_path / "docs", places, False, GUESSES).read_text()
    assert "0.5190 | at most 0.52: reached" in row(page, "VAE, 20 latent dimensions")
    assert "3 of 80 | test bpd | not done yet | at most 0.78 |" in row(page, "VAE, 2 latent dimensions")
    assert "0 of 100" in row(page, ALL["aae-z8-lambda1"].title)
    assert "Trained: 0 of the 0 runs that are done; 20 are not done yet." in page
    assert page.count("reached") == 1
    assert "python train.py --z_dim 8 --lambda_ 1` is not done yet" in page
    with open(tmp_path / "docs" / "results" / "vae-z20.csv") as file:
        assert len(list(csv.DictReader(file))) == 80


@pytest.mark.parametrize(
    ("name", "score", "said"),
    [
        ("vae-z20", 0.52, "reached"),
        ("vae-z20", 0.5201, "**missed**"),
        ("vae-z2", 0.7801, "**missed**"),
        ("aae-z8-lambda0.995", 0.0499, "reached"),
        ("aae-z8-lambda0.995", 0.05, "**missed**"),
        ("aae-z8-lambda1", 0.0499, "not done yet"),
        ("aae-z8-lambda1", 0.06, "**missed**"),
        ("aae-z2-lambda1", 0.1, ""),
    ],
)
def test_a_result_is_held_against_its_reference(name, score, said):
    states = {training: State(0, [], None) for training in TRAININGS}
    states[ALL[name]] = State(100, [], score)
    assert verdict(ALL[name], states).endswith(said)
    assert bool(said) == (name in REFERENCES)


@pytest.mark.parametrize(("plain", "said"), [(0.03, "reached"), (0.045, "**missed**")])
def test_without_the_adversary_the_loss_has_to_be_lower(plain, said):
    states = {training: State(0, [], None) for training in TRAININGS}
    states[ALL["aae-z8-lambda1"]] = State(100, [], plain)
    states[ALL["aae-z8-lambda0.995"]] = State(100, [], 0.04)
    assert verdict(ALL["aae-z8-lambda1"], states).endswith(said)


def test_a_seed_that_got_stuck_is_told(tmp_path, places):
    finish("seed3-lambda1", places, 0.0801)
    finish("seed3-lambda0.995", places, 0.44)
    page = write_page(tmp_path / "docs", places, False, GUESSES).read_text()
    assert "Trained: 1 of the 2 runs that are done; 18 are not done yet." in page
    assert "| 3 | 0.0801 | **0.4400, not trained** |" in page
    scores = (tmp_path / "docs" / "results" / "scores.csv").read_text()
    line = (
        "seed3-lambda0.995,python train.py --lambda_ 0.995 --seed 3 --epochs 1,1,train_reconstruction_loss,"
    )
    assert f"\n{line}0.44,\n" in scores


def test_figures_are_compressed_and_shown(tmp_path, places):
    finish("vae-z2", places, 0.77)
    Image.effect_noise((400, 400), 64).convert("RGB").save(places.logs(ALL["vae-z2"]) / "manifold.png")
    page = write_page(tmp_path / "docs", places, False, GUESSES).read_text()
    assert "](results/vae-z2-manifold.png)" in page
    copy = tmp_path / "docs" / "results" / "vae-z2-manifold.png"
    assert 0 < copy.stat().st_size < (places.logs(ALL["vae-z2"]) / "manifold.png").stat().st_size


def test_a_finished_training_is_not_started_again(places):
    finish("vae-z20", places, 0.519)
    finish("vae-z2", places, 0.9, epochs=79)
    left = pending(chosen(None, extra=True), places)
    assert ALL["vae-z20"] not in left
    assert ALL["vae-z2"] in left
    assert len(left) == 5 + 1 + 20


def test_what_was_published_counts_where_it_never_ran(tmp_path, places):
    """A fresh clone trains only what is missing, and its page loses nothing."""
    docs = tmp_path / "docs"
    finish("vae-z2", places, 0.77)
    finish("aae-z20-lambda0.995", places, 0.03)
    finish("seed3-lambda1", places, 0.0801)
    finish("vae-z20", places, 0.9, epochs=3)
    Image.new("RGB", (40, 40)).save(places.logs(ALL["vae-z2"]) / "manifold.png")
    note_machine(ALL["vae-z2"], places, "one abacus")
    page = write_page(docs, places, False, GUESSES).read_text()
    elsewhere = Places(places.data, tmp_path / "elsewhere", docs / "results")
    assert state(ALL["vae-z2"], elsewhere) == state(ALL["vae-z2"], places)
    left = pending(chosen(None, extra=True), elsewhere)
    assert {training.name for training in ALL.values()} - {training.name for training in left} == {
        *("vae-z2", "aae-z20-lambda0.995", "seed3-lambda1")
    }
    again = write_page(docs, elsewhere, False, GUESSES).read_text()
    assert "(one abacus)" in again
    # The three epochs of the other run were not at its end: it begins anew.
    assert row(again, "VAE, 20 latent dimensions").startswith("| VAE, 20 latent dimensions | 0 of 80 |")
    begins = "## VAE, 2 latent dimensions"
    assert page[page.index(begins) :] == again[again.index(begins) :]


def test_a_training_that_has_begun_anew_is_not_done_though_it_was_published(tmp_path, places):
    docs = tmp_path / "docs"
    finish("vae-z2", places, 0.77)
    write_page(docs, places, False, GUESSES)
    elsewhere = Places(places.data, tmp_path / "elsewhere", docs / "results")
    finish("vae-z2", elsewhere, 0.9, epochs=5)
    assert state(ALL["vae-z2"], elsewhere).score is None
    assert ALL["vae-z2"] in pending(TRAININGS, elsewhere)


def test_every_machine_that_had_a_part_is_named(places):
    finish("vae-z2", places, 0.77)
    for words in ("a slow one", "a fast one, 2 trainings at a time", "a slow one"):
        note_machine(ALL["vae-z2"], places, words)
    assert state(ALL["vae-z2"], places).machine == "a slow one, then a fast one, 2 trainings at a time"
    assert machine(1, 1).count("at a time") == 0
    assert machine(3, 2).endswith(", 2 trainings at a time")


def test_every_training_has_a_folder_of_its_own_which_its_command_names(places, part1, part2):
    """The names that trainings.py expects are those that the commands give."""
    seen = set()
    for training in ALL.values():
        part = part1 if training.part == 1 else part2
        script = part.train_pl if training.part == 1 else part.train
        parser = script.command_line()
        args = parser.parse_args(command(training, places)[2:])
        folder = Path(args.log_dir) / part.runs.name_of(args, parser, script.NAMED_BY)
        assert folder == places.logs(training).resolve(), training
        assert args.epochs == training.epochs
        assert args.resume
        seen.add(folder)
    assert len(seen) == len(ALL) == 27
    assert len(SEED_TRAININGS) == 20


def test_failed_trainings_are_named_and_the_others_run(places):
    def begin(training):
        return subprocess.Popen([sys.executable, "-c", f"raise SystemExit({training is TRAININGS[1]})"])

    said: list[str] = []
    assert run_all(TRAININGS, 2, begin, said.append) == [TRAININGS[1]]
    assert sum(line.startswith("done") for line in said) == 5


def test_guesses_are_those_of_the_images(tmp_path):
    # Bars: 20 of 784 pixels are white, +1, where the guess says -1; half of the mean image's rows differ.
    root = write_mnist(tmp_path, train=20, test=4)
    black, mean = guesses(root)
    assert black == pytest.approx(20 * 4 / 784)
    assert mean == pytest.approx(
        200 * 4 * 0.1 * 0.9 / 784
    )  # every row of bars is lit by a tenth of the images
    part = write_part(root, tmp_path / "part", 3)
    assert (part / RAW / "train-images-idx3-ubyte").stat().st_size == 16 + 3 * 784
    assert (part / RAW / "t10k-labels-idx1-ubyte").stat().st_size == 8 + 3


@pytest.mark.parametrize(
    "arguments",
    [("--jobs", "0"), ("--epochs", "1"), ("--images", "9000"), ("--only", "vae"), ("--data_dir", "nowhere")],
)
def test_bad_usage_ends_with_2(arguments, tmp_path, capsys):
    data = write_mnist(tmp_path, train=4, test=4)
    try:
        status = main(["--data_dir", str(data), *arguments, "--output", str(tmp_path / "o")])
    except SystemExit as error:
        status = error.code
    assert status == 2
    assert arguments[0] in capsys.readouterr().err


@pytest.mark.slow
def test_a_rehearsal_goes_on_and_ends_with_a_page(tmp_path):
    data = write_mnist(tmp_path, train=300, test=40)
    options = ["--data_dir", str(data), "--output", str(tmp_path / "o"), "--docs", str(tmp_path / "docs")]
    only = ["--only", "aae-z2-lambda1", "seed0-lambda1"]
    assert main([*options, "--epochs", "1", *only]) == 0
    assert main([*options, "--epochs", "2", "--only", "aae-z2-lambda1"]) == 0
    places = Places(data, tmp_path / "o")
    assert state(ALL["aae-z2-lambda1"], places).epochs == 2
    assert state(ALL["seed0-lambda1"], places).score is not None
    page = (tmp_path / "docs" / "results.md").read_text()
    assert "2 of 100 epochs" in page
    assert (tmp_path / "docs" / "results" / "aae-z2-lambda1-samples-over-time.png").exists()
