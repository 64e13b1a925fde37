"""Figures and notebooks of a submission: read for people to look at, and never a reason to refuse it."""

from __future__ import annotations

import os
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from grader.submission import EVIDENCE, FIGURES, Found, read_found, read_submission
from grader.submission.shown import Budget

from .wrapping import write_folder, write_tar, write_zip

REPORT = {
    "figures/1.9_manifold.png": b"a manifold",
    "figures/more/curves.JPG": b"curves",
    "report.ipynb": b"{}",
}
OTHERS = {
    "figures/losses.csv": b"1,2",
    "figures/.hidden.png": b"",
    "figures/a/b/c/deep.png": b"",
    "part1/sample.png": b"",
    "data.png": b"",
    "notes/report.ipynb": b"{}",
    "__MACOSX/figures/1.9_manifold.png": b"",
}


def wrappings(folder: Path, files: dict[str, bytes]) -> list[Path]:
    inside = {f"my answer/{name}": content for name, content in files.items()}
    return [
        write_folder(folder / "s1", files),
        write_folder(folder / "s2", inside),
        write_zip(folder / "s3.zip", inside),
        write_tar(folder / "s4.tar", files),
        write_tar(folder / "s5.tar.gz", inside),
    ]


def test_figures_and_the_notebook_are_read_from_every_wrapping(tmp_path, files):
    for path in wrappings(tmp_path, files | REPORT | OTHERS):
        submission = read_submission(path, shown=FIGURES)
        assert submission.shown == REPORT, path
        assert submission.files == files, path
        assert submission.warnings == (), path


def test_nobody_reads_them_unasked(tmp_path, files):
    for path in wrappings(tmp_path, files | REPORT):
        assert read_submission(path).shown == {}


def test_evidence_is_read_alone_from_every_wrapping(tmp_path, files):
    evidence = {
        "evidence/vae_z_dim_20/final.safetensors": b"weights",
        "evidence/vae_z_dim_20/metrics.csv": b"e",
    }
    others = {"evidence/vae_z_dim_20/final.pt": b"a pickle", "evidence/a/b/c/final.safetensors": b"deep"}
    for path in wrappings(tmp_path, files | REPORT | evidence | others):
        submission = read_submission(path, shown=EVIDENCE)
        assert submission.shown == evidence, path
        assert (submission.files, submission.warnings) == (files, ()), path
        assert read_submission(path, shown=FIGURES).shown == REPORT, path


def test_evidence_that_is_too_large_is_left_out(tmp_path, files):
    evidence = {"evidence/run/final.safetensors": bytes(1001), "evidence/run/metrics.csv": bytes(1000)}
    for path in wrappings(tmp_path, files | evidence):
        submission = read_submission(path, shown=replace(EVIDENCE, most_bytes=1000))
        assert set(submission.shown) == {"evidence/run/metrics.csv"}, path
        (warning,) = submission.warnings
        assert warning.startswith("evidence file evidence/run/final.safetensors: it is not read: "), path


def test_single_files_of_a_learning_platform(tmp_path, files):
    write_folder(tmp_path, {"utils.py": b"x", "plot.png": b"plot", "report.ipynb": b"{}", "notes.txt": b""})
    loose = tuple((path.name, path) for path in sorted(tmp_path.iterdir()))
    submission = read_found(Found("s1", tmp_path, loose), shown=FIGURES)
    assert submission.shown == {"figures/plot.png": b"plot", "report.ipynb": b"{}"}
    assert submission.files == {"part1/utils.py": b"x"}


def test_links_are_left_out_and_named(tmp_path, files):
    (tmp_path / "secret.png").write_bytes(b"secret")
    folder = write_folder(tmp_path / "s1", files | {"figures/a.png": b"a"})
    (folder / "figures" / "b.png").symlink_to(tmp_path / "secret.png")
    (folder / "report.ipynb").symlink_to(tmp_path / "secret.png")
    submission = read_submission(folder, shown=FIGURES)
    assert submission.shown == {"figures/a.png": b"a"}
    assert submission.files == files
    assert submission.warnings == (
        "figure report.ipynb: it is not shown: a symbolic link; hand in the file itself",
        "figure figures/b.png: it is not shown: a symbolic link; hand in the file itself",
    )


def test_a_folder_of_figures_that_is_a_link_is_not_followed(tmp_path, files):
    write_folder(tmp_path / "elsewhere", {"a.png": b"secret"})
    folder = write_folder(tmp_path / "s1", files)
    (folder / "figures").symlink_to(tmp_path / "elsewhere")
    submission = read_submission(folder, shown=FIGURES)
    assert (submission.shown, submission.files) == ({}, files)


def test_what_is_too_large_is_left_out_and_the_submission_is_marked(tmp_path, files):
    figures = {"figures/a.png": bytes(900), "figures/b.png": bytes(10**6), "figures/c.png": bytes(601)}
    for path in wrappings(tmp_path, files | figures | {"figures/d.png": bytes(600)}):
        submission = read_submission(path, shown=replace(FIGURES, most_bytes=1000, most_total=1500))
        assert set(submission.shown) == {"figures/a.png", "figures/d.png"}, path
        assert submission.files == files
        assert submission.warnings == (
            "figure figures/b.png: it is not shown: a figure may have 0 MB, and all together 0 MB",
            "figure figures/c.png: it is not shown: a figure may have 0 MB, and all together 0 MB",
        )


def test_there_is_an_end_to_figures(tmp_path, files):
    figures = {f"figures/{index}.png": b"x" for index in range(5)}
    for path in wrappings(tmp_path, files | figures | {"report.ipynb": b"{}"}):
        submission = read_submission(path, shown=replace(FIGURES, most_files=3))
        assert list(submission.shown) in (
            ["report.ipynb", "figures/0.png", "figures/1.png"],
            ["figures/0.png", "figures/1.png", "report.ipynb"],
        )
        assert submission.warnings == (
            "figure figures/2.png: it is not shown: only 3 files are read, 3 were not",
        )


def test_a_damaged_figure_in_a_zip_costs_that_figure(tmp_path, files):
    path = write_zip(tmp_path / "s1.zip", files | {"figures/a.png": b"abc" * 50, "figures/b.png": b"fine"})
    content = path.read_bytes()
    packed = zlib.compress(b"abc" * 50)[2:-4]
    assert packed[:8] in content
    path.write_bytes(content.replace(packed[:8], b"\xff" * 8, 1))
    submission = read_submission(path, shown=FIGURES)
    assert submission.shown == {"figures/b.png": b"fine"}
    assert submission.files == files
    assert submission.warnings == ("figure figures/a.png: it is not shown: it is damaged",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_costs_the_figures(tmp_path, files):
    folder = write_folder(tmp_path / "s1", files | {"figures/a.png": b""})
    (folder / "figures").chmod(0)
    submission = read_submission(folder, shown=FIGURES)
    (folder / "figures").chmod(0o755)
    assert submission.files == files
    assert submission.warnings == ("figure figures/: it is not shown: Permission denied",)


def test_a_crowded_folder_costs_the_figures(tmp_path, files, monkeypatch):
    monkeypatch.setattr("grader.submission.folder.MAX_MEMBERS", 20)
    folder = write_folder(tmp_path / "s1", files | {f"figures/{index}.png": b"" for index in range(21)})
    submission = read_submission(folder, shown=FIGURES)
    assert submission.files == files
    (warning,) = submission.warnings
    assert warning == "figure figures/: it is not shown: a folder in it has more than 20 entries"


def test_a_budget_counts_what_it_takes():
    budget = Budget(replace(FIGURES, most_total=10))
    assert budget.take("a", bytes(6))
    assert budget.limit == 4
    assert not budget.take("b", bytes(5))
    assert budget.take("c", bytes(4))
