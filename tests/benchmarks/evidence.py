"""`python -m tests.benchmarks.evidence [OTHER]`: CPU seconds in which a hand-in's evidence is examined.

A hand-in with seven trainings of the recommended width and the six figures that are compared with them is
examined several times, each with another seed. One without evidence is read as often, with evidence asked for
and not. An archive with as much evidence as is read at all is read, too. The memory of `grade` with one job,
and of `evidence` after it, is that of all their processes. With another checkout, both examine the same
hand-in in turns, and what counts is the median of the pairs' ratios: timings drift with the machine.

It trains for some two minutes at first, and keeps what it has trained in build/benchmarks/evidence. MNIST has
to be at hand (MNIST_ROOT). The exit status is 1 where a cost is over its limit.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from grader.engine.cpus import idle_cpus
from tests.benchmarks.elsewhere import Measured
from tests.benchmarks.measure import measure, run

HERE = Path(__file__).resolve().parents[2]
FOLDER = HERE / "build" / "benchmarks" / "evidence"
MOST_EXAMINED, MOST_READ = 6.0, 1.0  # CPU seconds of seven trainings; seconds of an archive
ARCHIVE_BYTES = 20_000_000
# A millisecond is a stat call or two on a busy machine: what is not asked for may cost no more than that.
MOST_WITHOUT = 0.02
MOST_MEMORY = 1.05  # of what marking takes: two runs of the same differ by as much
# On one CPU, in a process of its own, whose first examination loads what is loaded once.
EXAMINE = """
import sys, time, torch
from pathlib import Path
from grader.box.launcher import Box
from grader.engine.cpus import keep_to
from grader.evidence.examine import examine
from grader.evidence.images import image_sets
from grader.submission import EVIDENCE, read_submission
keep_to(int(sys.argv[2]))
torch.set_num_threads(1)
folder = Path(sys.argv[1])
figures = {path.stem: path.read_bytes() for path in sorted((folder / "figures").iterdir())}
box, images = Box(), image_sets()

def look(seed):
    own, boxed = time.process_time(), box.cpu_seconds
    submission = read_submission(folder, shown=EVIDENCE)
    evidence = examine(submission, lambda: box, images, seed, figures).evidence
    used = time.process_time() - own + box.cpu_seconds - boxed
    claims = [claim for run in evidence.runs for claim in run.claims]
    grids = sum(claim.kind == "grid of a figure" for claim in claims)
    wrong = [claim for claim in claims if claim.verdict == "contradicted"]
    assert not wrong and grids == 6, (wrong, evidence)
    return used

look(0)
for line in sys.stdin:
    print(look(int(line)), flush=True)
box.close()
"""


def hand_in(folder: Path) -> Path:
    """The hand-in with seven trainings, trained where an earlier run has not left it."""
    if not folder.is_dir():
        import torch

        from grader.evidence.images import image_sets
        from grader.report.figures import draw_figures
        from tests.evidence.full_size import evidence_and_figures  # loads all that trains

        torch.set_num_threads(1)  # beside other processes more of them mostly wait for each other
        images = image_sets()
        if images is None:
            sys.exit("error: MNIST is not at hand: set MNIST_ROOT to a folder with MNIST/raw in it")
        files = evidence_and_figures(images)
        drawn = {
            name: one for name, one in draw_figures(files, sandbox=False).files.items() if "small" not in name
        }
        evidence = {name: one for name, one in files.items() if name.startswith("evidence/")}
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        for name, content in {**evidence, **drawn}.items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_bytes(content)
        for name in ("part1", "part2"):
            shutil.copytree(
                HERE / "solutions" / name, part / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        part.rename(folder)
    return folder


def without_evidence(rounds: int) -> list[tuple[float, float]]:
    """CPU seconds of reading a hand-in that has none, with evidence left aside and with it examined."""
    from grader.evidence.examine import examine
    from grader.submission import EVIDENCE, read_submission

    def no_box() -> object:
        raise AssertionError("a box was asked for")

    def examined() -> None:
        found = examine(read_submission(HERE / "solutions", shown=EVIDENCE), no_box, None, 1)
        assert found.evidence.absent

    found = [(_cpu(lambda: read_submission(HERE / "solutions")), _cpu(examined)) for _ in range(rounds + 1)]
    return found[1:]


def peak_memory(folder: Path) -> tuple[int, int]:
    """Bytes that marking the hand-in takes with one job, and examining its evidence."""
    with tempfile.TemporaryDirectory() as place:
        submissions, results, log = Path(place) / "submissions", Path(place) / "results", Path(place) / "log"
        shutil.copytree(folder, submissions / "ada")
        grade = ["grade", str(submissions), "--output", str(results), "--jobs", "1", "--seed", "1"]
        examine = ["evidence", str(submissions), "--results", str(results), "--seed", "1"]
        graded, examined = (
            measure(lambda words=words: run([sys.executable, "-m", "grader", *words], HERE, log), every=0.05)
            for words in (grade, examine)
        )
    return graded.peak_bytes, examined.peak_bytes


def _cpu(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


def archive_read(folder: Path, rounds: int) -> list[float]:
    """Seconds by the clock in which an archive with evidence of 20 MB is read, and all of its weights."""
    import torch

    from grader.evidence.weights import read_weights
    from grader.submission import EVIDENCE, read_submission

    torch.set_num_threads(1)  # as the command does
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    size = sum(len(content) for content in files.values())
    final = files["evidence/vae_z_dim_20/final.safetensors"]
    extra = 0
    while size + len(final) <= ARCHIVE_BYTES:  # up to the size, more of the same
        extra += 1
        files[f"evidence/vae_z_dim_20/epoch_{500 + extra}.safetensors"] = final
        size += len(final)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    found = []
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "archive.zip"
        path.write_bytes(packed.getvalue())
        for _ in range(rounds + 1):
            began = time.monotonic()
            submission = read_submission(path, shown=EVIDENCE)
            read = [
                read_weights(one) for name, one in submission.shown.items() if name.endswith(".safetensors")
            ]
            found.append(time.monotonic() - began)
            assert len(read) >= 7 + extra, submission.warnings
    print(f"an archive of {size / 1e6:.1f} MB, {len(read)} files of weights")
    return found[1:]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.evidence", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("other", type=Path, nargs="?", help="another checkout, to compare with")
    parser.add_argument("--rounds", type=int, default=7, help="examinations by each (default: 7)")
    options = parser.parse_args()
    idle = idle_cpus(1)
    if not idle:
        print("no CPU is idle: the figures are only a hint", file=sys.stderr)
    folder = hand_in(FOLDER)
    cpu = (idle or sorted(os.sched_getaffinity(0)))[0]
    checkouts = [*([options.other.resolve()] if options.other else []), HERE]
    examiners = [Measured(checkout, EXAMINE, folder, cpu) for checkout in checkouts]
    try:
        pairs = [[one.seconds(seed) for one in examiners] for seed in range(1, options.rounds + 1)]
    finally:
        for one in examiners:
            one.close()
    for name, found in zip(("other", "here")[-len(checkouts) :], zip(*pairs, strict=True), strict=True):
        print(f"{name}: seven trainings, six figures: {_in_words(found, 'CPU s')}")
    if options.other:
        ratios = sorted(here / other for other, here in pairs)
        print(f"ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})")
    without = without_evidence(options.rounds)
    print(f"none, evidence left aside: {_in_words([off for off, _ in without], 'CPU s')}")
    print(f"none, evidence examined: {_in_words([on for _, on in without], 'CPU s')}")
    read = archive_read(folder, options.rounds)
    print(f"read: {_in_words(read, 's')}")
    marking, examining = peak_memory(folder)
    print(
        f"peak memory with one job: {marking / 1e9:.2f} GB to mark, {examining / 1e9:.2f} GB for the evidence"
    )
    most = statistics.median(pair[-1] for pair in pairs)
    more = statistics.median(on - off for off, on in without)
    within = [most <= MOST_EXAMINED, more <= MOST_WITHOUT, statistics.median(read) <= MOST_READ]
    return 0 if all(within) and examining <= MOST_MEMORY * marking else 1


def _in_words(seconds: list[float] | tuple[float, ...], unit: str) -> str:
    return f"{statistics.median(seconds):.3f} {unit} ({min(seconds):.3f} to {max(seconds):.3f})"


if __name__ == "__main__":
    sys.exit(main())
