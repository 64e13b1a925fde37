"""Titles, points and what is asked stand once: what says otherwise is written anew, or stops a release."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.cli import main
from grader.gradebook import course as courses
from grader.release import bundle, manifest
from grader.release.manifest import contradictions, examine
from grader.release.stubs import REPOSITORY
from tests.release.kits import Kit

RUBRIC = "grader/rubric.toml"
QUESTIONS = "grader/questions.toml"
VAE = "docs/handout/vae.md"


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path / "kit")


def test_the_kit_agrees_with_its_manifest():
    assert contradictions(REPOSITORY) == []


def test_a_copy_agrees_as_well(kit):
    assert contradictions(kit.root) == []


def test_what_follows_from_points_and_words_is_written(kit):
    kit.change(RUBRIC, 'id = "1.3"\npoints = 2', 'id = "1.3"\npoints = 2.5')
    kit.change(RUBRIC, 'title = "Why it is a lower bound"', 'title = "A bound from below"')
    kit.change(QUESTIONS, "How can you tell from equation 10", "How does one see in equation 10")
    found = examine(kit.root)
    assert set(found.written) == {
        "README.md",
        "docs/handout/README.md",
        VAE,
    }
    page = found.written[VAE]
    assert "### Question 1.3 (2.5 points)\n\n*A bound from below.*\nHow does one see in equation 10" in page
    assert page.startswith("# Part 1: variational autoencoders\n\n<!-- manifest: part 1 -->\n\n34.5 points: ")
    overview = found.written["docs/handout/README.md"]
    assert "| [1.3](vae.md#question-13-25-points) | 2.5 | A bound from below | written |" in overview
    assert "worth 64.5 points together." in overview
    assert "| sum | 64.5 | | |" in overview
    assert "64.5 points, 22.5 of them marked automatically" in found.written["README.md"]
    (guide,) = found.by_hand
    assert guide == "solutions/answers/1.3.md: the marks add up to 2, the head says 2.5"


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (RUBRIC, 'id = "1.7.kld"\npoints = 1.5', 'id = "1.7.kld"\npoints = 2', f"{VAE}: line "),
        (VAE, "### Question 1.3 (2 points)", "### Question 1.3 (3 points)", f"{VAE}: line "),
        (
            RUBRIC,
            'files = ["part1/utils.py"]',
            'files = ["part1/kl.py"]',
            "needs part1/kl.py, which is not",
        ),
        (
            "solutions/part1/utils.py",
            "# BEGIN SOLUTION 1.7: KLD",
            "# BEGIN SOLUTION 1.6: KLD",
            "utils.py, line 40: is a solution of question 1.6, and rubric.toml has no automatic item of it",
        ),
        (VAE, "# Part 1: variational", "# Part 1: Variational", f"{VAE}: its first line must be "),
        (VAE, "## 1.6 Putting", "### Question 9.9\n\n## 1.6 Putting", "outside the manifest's blocks"),
        (VAE, "<!-- manifest: question 1.5 -->", "<!-- manifest: question 1.99 -->", "1.99, which is not in"),
        (QUESTIONS, 'id = "1.1"', 'id = "1.1"\ntitle = "Mine"', "1.1: its title stands in rubric.toml"),
        (
            "docs/handout/kl.md",
            "# ",
            "[x](vae.md#question-13-9-points)\n\n# ",
            "no question has this heading",
        ),
        (
            "solutions/answers/1.3.md",
            "# 1.3: Why it is a lower bound (2 points)",
            "# 1.3: Why (2 points)",
            "solutions/answers/1.3.md: line 1 is '# 1.3: Why (2 points)' and should be",
        ),
        (
            "solutions/answers/1.3.md",
            "## Misconceptions",
            "## Errors",
            "1.3.md: expected exactly the sections",
        ),
        (
            "solutions/part1/figures.py",
            "SHOWN_SAMPLES = (0, 10, 80)",
            "SHOWN_SAMPLES = (0, 10, 40)",
            "solutions/part1/figures.py: line 12",
        ),
        ("student/part1/utils.py", '"""', '""" ', "student/part1/utils.py: is not what solutions/ gives"),
        (
            QUESTIONS,
            'id = "1.7.curves"',
            'id = "1.7.kld"',
            "item 1.7.kld is marked automatically, its question says",
        ),
        (
            QUESTIONS,
            'id = "1.7.curves"',
            'id = "1.7.curve"',
            "item 1.7.curve is not in rubric.toml; remove it, or add it there",
        ),
        (QUESTIONS, 'id = "1.2"', 'id = "1.1"', "there are two [[question]] with id = '1.1'"),
        (QUESTIONS, "vae_epochs = 80\n", "", "no whole number vae_epochs in [numbers]"),
        (QUESTIONS, "vae_epochs = 80\n", 'vae_epochs = "80"\n', "no whole number vae_epochs in [numbers]"),
        (QUESTIONS, 'id = "1.1"', 'id = "1.1"\nfigure = 3', "questions.toml: questions, 1.1, figure: "),
        (QUESTIONS, "[numbers]", "[numbers", "questions.toml: "),
        (RUBRIC, 'id = "1.1"\n', "", "rubric.toml: item : id is missing"),
        (RUBRIC, 'id = "1.1"\npoints = 2', 'id = "1.1"\npoints = "two"', "rubric.toml: item 1.1: "),
        (RUBRIC, "leave_out = []", 'leave_out = ["4"]', "there is no part, question or item '4'"),
        (RUBRIC, "leave_out = []", 'leave_out = ["2"]', "marked automatically, 2.4.autoencoder"),
        (
            "grader/marking/prices.toml",
            'sums_over_last_dimension_only = "slip"\n',
            "",
            "no price for the check",
        ),
        (
            "grader/suites/part1/test_kld.py",
            'mark.item("1.7.kld")',
            'mark.item("1.7.kl")',
            "test_kld.py: rubric.toml has no automatic item 1.7.kl; remove the file, or add the item",
        ),
    ],
)
def test_what_contradicts_is_named_with_its_file(kit, file, old, new, said):
    text = kit.read(file)
    assert old in text
    (kit.root / file).write_text(text.replace(old, new, 1))
    assert [line for line in contradictions(kit.root) if said in line], contradictions(kit.root)


def test_two_points_that_are_swapped_are_seen_in_handout_and_guides(kit):
    kit.change(RUBRIC, 'id = "1.3"\npoints = 2', 'id = "1.3"\npoints = 3')
    kit.change(RUBRIC, 'id = "1.4"\npoints = 3', 'id = "1.4"\npoints = 2')
    places = {line.partition(":")[0] for line in contradictions(kit.root)}
    assert places == {
        VAE,
        "docs/handout/README.md",
        "solutions/answers/1.3.md",
        "solutions/answers/1.4.md",
    }


def test_questions_keep_the_order_of_the_rubric(kit):
    _, third, fourth, _ = re.split(r'(?=\[\[item\]\]\nid = "1\.[345]")', kit.read(RUBRIC))
    kit.change(RUBRIC, third + fourth, fourth + third)
    assert (
        f"{VAE}: its blocks come in the order part 1, question 1.1, question 1.2, question 1.3,"
        in "\n".join(contradictions(kit.root))
    )


def test_missing_tests_guides_and_pages_are_named(kit):
    for name in ("tests/public/test_1_7_kld.py", "solutions/answers/2.7.md", "docs/handout/nerf.md"):
        (kit.root / name).unlink()
    (kit.root / "tests/public/test_1_7_other.py").touch()
    (kit.root / "solutions/answers/9.9.md").write_text(kit.read("solutions/answers/1.1.md"))
    lines = contradictions(kit.root)
    for said in (
        "tests/public/test_1_7_kld.py: there is no public test of 1.7.kld; write one",
        "tests/public/test_1_7_other.py: rubric.toml has no such automatic item",
        "solutions/answers/2.7.md: there is no marking guide for this item; write one, from '# 2.7: ",
        "solutions/answers/9.9.md: rubric.toml has no item 9.9 that a person marks",
        "docs/handout/nerf.md: part 3 has no such page; write it, from '# Part 3: neural radiance fields' on",
    ):
        assert [line for line in lines if line.startswith(said)], said


@pytest.fixture
def at_odds(monkeypatch) -> str:
    """The kit contradicts its manifest."""
    said = "docs/handout/vae.md: line 3 is 'this' and should be 'that'"
    monkeypatch.setattr(manifest, "contradictions", lambda repository: [said])
    return said


def test_a_release_is_refused(at_odds, tmp_path, capsys):
    assert bundle.main(["--output", str(tmp_path / "release")]) == 1
    assert at_odds in capsys.readouterr().err
    assert not (tmp_path / "release").exists()


def test_a_course_is_refused_and_nothing_is_left(at_odds, tmp_path, capsys):
    options = ["--exchange", str(tmp_path / "exchange")]
    assert main(["course", "init", str(tmp_path / "deep" / "course"), *options]) == 2
    assert at_odds in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_update_is_refused_and_changes_nothing(at_odds, tmp_path, capsys):
    (tmp_path / courses.CONFIG_FILE).touch()
    assert main(["course", "update", str(tmp_path)]) == 2
    assert at_odds in capsys.readouterr().err
    assert not (tmp_path / "source").exists()


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_course_that_cannot_be_finished_leaves_nothing(tmp_path, monkeypatch, capsys, error, there):
    def fail(*_):
        raise error

    monkeypatch.setattr("grader.gradebook.new_course.config_text", fail)
    root = tmp_path / "course"
    if there:
        root.mkdir()
    try:
        status = main(["course", "init", str(root), "--exchange", str(tmp_path / "exchange")])
    except KeyboardInterrupt:
        status = 130
    assert status == (2 if isinstance(error, OSError) else 130)
    assert [*tmp_path.rglob("*")] == ([root] if there else [])


def test_the_command_writes_and_names_what_is_left(kit):
    kit.change(RUBRIC, 'id = "1.3"\npoints = 2', 'id = "1.3"\npoints = 2.5')
    run = kit.python("-m", "grader.release.manifest")
    assert run.returncode == 1
    assert "updated: docs/handout/vae.md\n" in run.stdout
    assert "manifest: solutions/answers/1.3.md: the marks add up to 2" in run.stderr
    kit.change("solutions/answers/1.3.md", "- **1**: a KL", "- **1.5**: a KL")
    assert "(2.5 points)" in kit.read(VAE)
    assert kit.python("-m", "grader.release.manifest").returncode == 0
    assert kit.read("solutions/answers/1.3.md").startswith("# 1.3: Why it is a lower bound (2.5 points)\n")
    check = kit.python("-m", "grader.release.manifest", "--check")
    assert (check.returncode, check.stderr) == (0, "")


@pytest.mark.parametrize(
    ("file", "old", "said"),
    [
        (RUBRIC, 'id = "1.1"\n', "error: rubric.toml: item : id is missing\n"),
        (
            QUESTIONS,
            "[numbers]",
            "error: nothing was written, since the kit contradicts its rubric.toml or qu",
        ),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named_in_one_line(kit, file, old, said):
    kit.change(file, old, "")
    run = kit.python("-m", "grader", "course", "init", "course", "--exchange", "exchange")
    assert run.returncode == 2
    assert run.stderr.startswith(said)
    assert run.stderr.count("\n") == 1
    assert not (kit.root / "course").exists()
