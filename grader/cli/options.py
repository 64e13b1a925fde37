"""The options that several commands share, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.grading.options import DEFAULT_JOBS, Data

Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH",
        help="A submission (folder with part1/ and part2/, zip, tar or tar.gz), or a folder of those.",
        show_default=False,
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        help="The folder for results: marks.csv, and <submission>/results.json. Results that still hold "
        "are kept.",
        show_default=False,
    ),
]
ResultsFolder = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        help="The --output folder of a run: DIR/<submission>/results.json.",
        show_default=False,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Submissions to mark at once; each takes a processor and about 1.3 GB of memory. "
        f"By default as many as processors and memory allow, at most {DEFAULT_JOBS}.",
        show_default=False,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=2**63 - 1,
        help="The run's secret: all test inputs derive from it. By default that of the last run "
        "into the folder or, in a new one, a new seed, shown at the end.",
        show_default=False,
    ),
]
DataSet = Annotated[
    Data, typer.Option(help="Train on the embedded digits, or on MNIST (from $MNIST_ROOT, or downloaded).")
]
NoSandbox = Annotated[
    bool,
    typer.Option(
        "--no-sandbox", help="Run the code unprotected. Only for your own: no gradebook takes the marks."
    ),
]
AllowDistributions = Annotated[
    bool,
    typer.Option(
        "--allow-distributions", help="Waive the rule against torch.distributions. Every result records it."
    ),
]
AllowDevices = Annotated[
    bool,
    typer.Option(
        "--allow-devices",
        help="Deduct nothing for a device, such as cuda or mps, that code names and the grader lacks.",
    ),
]
Dask = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Mark on the workers of a running Dask cluster; ADDRESS is its scheduler's, tls://host:port.",
        show_default=False,
    ),
]
DaskWithoutTls = Annotated[
    bool,
    typer.Option(
        "--dask-without-tls",
        help="Let --dask use tcp:// beyond this machine, where whoever reaches the scheduler's port can run "
        "code as you. Only for a network that nobody else is on.",
    ),
]
Slurm = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Mark on N workers that Slurm starts (through dask-jobqueue and its configuration).",
        show_default=False,
    ),
]
Fresh = Annotated[
    bool,
    typer.Option(
        "--fresh",
        help="Mark all anew: neither go on with an interrupted run nor reuse a result of an earlier one.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress and no table.")]
Details = Annotated[
    bool | None,
    typer.Option(
        "--details/--no-details",
        help="Show the failed checks with their messages. By default for at most 10 submissions.",
        show_default=False,
    ),
]
WithPages = Annotated[
    bool,
    typer.Option(
        "--pages/--no-pages", help="Write pages for students and staff from all results in the folder."
    ),
]


def labelled(given: str) -> tuple[str, Path]:
    """`LABEL=FOLDER` or a folder alone: the label, empty where there is none, and the folder."""
    label, sign, folder = given.partition("=")
    if not sign or Path(given).exists():  # a folder may have such a name
        return "", Path(given)
    return label.strip(), Path(folder)
