"""Holds everything that students and markers read to the manifest, `rubric.toml` and `questions.toml`.

What follows from the manifest alone is written by `make manifest`: the handout's headings, anchors and
tables, the heads of the marking guides, the numbers in the code. What only a person can mend is named, with
the file and what to change. Neither a release nor a course is made while something is left.

Usage: python -m grader.release.manifest [--check]
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grader.questions import QUESTIONS_FILE, Questions, read_questions
from grader.release import stubs
from grader.release.answers import ANSWERS, Answer, AnswerError, head, parse
from grader.release.completeness import missing_code, missing_tests, missing_texts
from grader.release.handout import Handout, shipped_pages
from grader.release.stubs import REPOSITORY
from grader.rubric import RUBRIC_FILE, Rubric, read_rubric

HANDOUT = "docs/handout"
RUN = "run make manifest, and read what git diff shows"


class ContradictionError(ValueError):
    """Something contradicts the manifest.

    Attributes:
        lines: what and where, with what to change there.
    """

    def __init__(self, lines: list[str]) -> None:
        super().__init__(
            "nothing was written, since these contradict rubric.toml or questions.toml:\n  "
            + "\n  ".join(lines)
        )
        self.lines = lines


@dataclass(frozen=True)
class Mention:
    """A number of the manifest in a file that is written by hand.

    Attributes:
        file: the file.
        pattern: finds it, as its only group.
        number: which one: a name of `[numbers]`, or `points` or `automatic`, the sums.
        instead: what a person has to do, where what stands beside it was measured; else it is written anew.
    """

    file: str
    pattern: str
    number: str
    instead: str = ""


PRACTICALITIES = f"{HANDOUT}/practicalities.md"
MENTIONS = (
    Mention("solutions/part1/train_pl.py", r'"--epochs", type=natural, default=(\d+)', "vae_epochs"),
    Mention("solutions/part1/figures.py", r"^SHOWN_SAMPLES = \(0, 10, (\d+)\)", "vae_epochs"),
    Mention("solutions/part2/train.py", r'"--epochs", type=natural, default=(\d+)', "aae_epochs"),
    Mention("solutions/part2/figures.py", r"^SHOWN_EPOCHS = \(0, 20, 50, (\d+)\)", "aae_epochs"),
    Mention(PRACTICALITIES, r"^\| `--epochs` \| (\d+) \|", "vae_epochs"),
    Mention(PRACTICALITIES, r"^\| `--epochs` \| \d+ \| (\d+) \|", "aae_epochs"),
    Mention(PRACTICALITIES, r"# 20 latent dimensions, (\d+) epochs: ", "vae_epochs"),
    Mention("README.md", r"([\d.]+) points, [\d.]+ of them marked automatically", "points"),
    Mention("README.md", r"[\d.]+ points, ([\d.]+) of them marked automatically", "automatic"),
    *(
        Mention(
            file,
            pattern,
            number,
            f"write what so many epochs give; docs/results/{table}.csv has a row for every epoch",
        )
        for file, pattern, number, table in (
            (f"{HANDOUT}/vae.md", r"ends near 0\.\d+ after (\d+)\.", "vae_epochs", "vae-z20"),
            ("solutions/answers/1.7.curves.md", r"about 0\.\d+ after (\d+) epochs", "vae_epochs", "vae-z20"),
            (PRACTICALITIES, r"^\| VAE, 20 latent dimensions, (\d+) epochs \|", "vae_epochs", "vae-z20"),
            (PRACTICALITIES, r"^\| VAE, 2 latent dimensions, (\d+) epochs \|", "vae_epochs", "vae-z2"),
            (PRACTICALITIES, r"^\| AAE, 8 .*, (\d+) epochs \|", "aae_epochs", "aae-z8-lambda0.995"),
        )
    ),
)

_LINK = re.compile(r"\]\((?P<page>[\w./-]*)(?:#(?P<anchor>[\w-]*))?\)")


@dataclass
class Examination:
    """How a repository and its manifest agree.

    Attributes:
        written: the files that `make manifest` would change, with their new texts.
        by_hand: what only a person can mend: `file: what is wrong; what to do`.
    """

    written: dict[str, str] = field(default_factory=dict)
    by_hand: list[str] = field(default_factory=list)


def require_agreement(repository: Path = REPOSITORY) -> None:
    """Refuse to build anything of a kit that contradicts its manifest.

    Raises:
        ContradictionError: something does.
    """
    found = contradictions(repository)
    if found:
        raise ContradictionError(found)


def contradictions(repository: Path = REPOSITORY) -> list[str]:
    """What contradicts the manifest, a line for each file and what to change there."""
    try:
        found = examine(repository)
        stale = stubs.drifted(stubs.generate(repository / "solutions"), repository / "student")
    except (ValueError, OSError) as error:
        return [str(error)]
    lines = [
        f"{name}: {_first_difference((repository / name).read_text(encoding='utf-8'), text)}; {RUN}"
        for name, text in found.written.items()
    ]
    lines += [f"student/{path.as_posix()}: is not what solutions/ gives; run make stubs" for path in stale]
    return found.by_hand + lines


def examine(repository: Path = REPOSITORY) -> Examination:
    """Compare everything with the manifest.

    Raises:
        ValueError: the manifest itself cannot be read.
        OSError: a file cannot be read.
    """
    package = repository / "grader"
    rubric = read_rubric(package / RUBRIC_FILE.name)
    questions = read_questions(package / QUESTIONS_FILE.name, rubric)
    found = Examination(by_hand=list(missing_texts(rubric, questions)))
    _examine_handout(repository, rubric, questions, found)
    _examine_guides(repository, rubric, questions, found)
    _examine_numbers(repository, rubric, questions, found)
    found.by_hand += [*missing_code(repository, rubric), *missing_tests(repository, rubric)]
    return found


def write(repository: Path = REPOSITORY) -> list[str]:
    """Write what follows from the manifest, and the stubs.

    Returns:
        The files that have changed.

    Raises:
        ValueError: the manifest itself, or a solution, cannot be read.
        OSError: a file cannot be read or written.
    """
    found = examine(repository).written
    for name, text in found.items():
        (repository / name).write_text(text, encoding="utf-8")
    stale = stubs.write(stubs.generate(repository / "solutions"), repository / "student")
    return [*found, *(f"student/{path.as_posix()}" for path in stale)]


def _examine_handout(repository: Path, rubric: Rubric, questions: Questions, found: Examination) -> None:
    handout = Handout(rubric, questions)
    pages = {
        file.name: file.read_text(encoding="utf-8") for file in sorted((repository / HANDOUT).glob("*.md"))
    }
    new = {}
    for name, text in shipped_pages(questions, rubric, pages).items():
        rewritten = handout.rewrite(name, text)
        new[name] = rewritten.text
        found.by_hand += [f"{HANDOUT}/{name}: {problem}" for problem in rewritten.problems]
        if rewritten.text != text:
            found.written[f"{HANDOUT}/{name}"] = rewritten.text
    for part in questions.parts.values():
        asked = any(item.part == part.number for item in rubric.items)
        title = f"# Part {part.number}: {part.title[:1].lower()}{part.title[1:]}"
        if asked and part.page not in new:
            found.by_hand.append(
                f"{HANDOUT}/{part.page}: part {part.number} has no such page; write it, from {title!r} on"
            )
        elif asked and new[part.page].partition("\n")[0] != title:
            found.by_hand.append(f"{HANDOUT}/{part.page}: its first line must be {title!r}")
    links = [(name, link) for name, text in new.items() for link in _LINK.finditer(text)]
    for name, link in links:
        page, anchor = link["page"], link["anchor"] or ""
        if page.endswith(".md") and page not in new:
            found.by_hand.append(
                f"{HANDOUT}/{name}: links to {page}, which is not handed out; remove the link"
            )
        elif anchor.startswith("question-") and anchor not in handout.anchors:
            found.by_hand.append(f"{HANDOUT}/{name}: links to #{anchor}, and no question has this heading")


def _examine_guides(repository: Path, rubric: Rubric, questions: Questions, found: Examination) -> None:
    folder = ANSWERS.relative_to(REPOSITORY)
    there = {file.stem for file in (repository / folder).glob("*.md")} - {"README"}
    for item in rubric.items:
        name = f"{folder.as_posix()}/{item.id}.md"
        if item.how == "auto" or (item.id not in questions.items and item.id not in questions.questions):
            continue
        first = head(item.id, questions.of(item).title, item.points)
        if item.id not in there:
            found.by_hand.append(
                f"{name}: there is no marking guide for this item; write one, from {first!r} on, with the "
                "sections of the others"
            )
            continue
        text = (repository / name).read_text(encoding="utf-8")
        new = first + "\n" + text.partition("\n")[2]
        try:
            answer = parse(new, name)
        except AnswerError as error:
            found.by_hand.append(str(error))
            continue
        found.by_hand += [f"{name}: {problem}" for problem in _odd_marks(answer)]
        if new != text:
            found.written[name] = new
    known = {item.id for item in (*rubric.items, *rubric.left_out) if item.how != "auto"}
    for stem in sorted(there - known):
        found.by_hand.append(
            f"{folder.as_posix()}/{stem}.md: rubric.toml has no item {stem} that a person marks; remove the "
            "guide, or add the item"
        )


def _odd_marks(answer: Answer) -> Iterator[str]:
    for misconception in answer.misconceptions:
        if misconception.points > answer.points:
            yield f"a misconception costs {misconception.points:g}, more than the item is worth; lower it"


def _examine_numbers(repository: Path, rubric: Rubric, questions: Questions, found: Examination) -> None:
    numbers = {
        **{name: f"{number}" for name, number in questions.numbers.items()},
        "points": f"{sum(item.points for item in rubric.items):g}",
        "automatic": f"{sum(item.points for item in rubric.automatic):g}",
    }
    for mention in MENTIONS:
        if mention.number not in numbers:
            found.by_hand.append(f"grader/questions.toml: [numbers] lacks {mention.number}; add it")
            continue
        old = (repository / mention.file).read_text(encoding="utf-8")
        text = found.written.get(mention.file, old)
        match = re.search(mention.pattern, text, re.MULTILINE)
        if match is None:
            found.by_hand.append(
                f"{mention.file}: no line fits {mention.pattern!r}, which gives {mention.number}; put it "
                "back, or change MENTIONS in grader/release/manifest.py"
            )
        elif match[1] == numbers[mention.number]:
            continue
        elif mention.instead:
            line = text[: match.start(1)].count("\n") + 1
            found.by_hand.append(
                f"{mention.file}, line {line}: tells of {match[1]} epochs, and questions.toml asks for "
                f"{numbers[mention.number]}; {mention.instead}"
            )
        else:
            found.written[mention.file] = (
                text[: match.start(1)] + numbers[mention.number] + text[match.end(1) :]
            )


def _first_difference(old: str, new: str) -> str:
    """Where a text is not what it should be."""
    before, after = old.splitlines(), new.splitlines()
    for number, (one, other) in enumerate(zip(before, after, strict=False), start=1):
        if one != other:
            return f"line {number} is {_short(one)} and should be {_short(other)}"
    return f"it has {len(before)} lines and should have {len(after)}"


def _short(line: str) -> str:
    return repr(line if len(line) <= 70 else f"{line[:67]}...")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m grader.release.manifest",
        description="Write what follows from rubric.toml and questions.toml; name what a person has to.",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if something is left"
    )
    if not parser.parse_args(arguments).check:
        try:
            for name in write():
                print(f"updated: {name}")
        except (ValueError, OSError) as error:
            print(f"manifest: {error}", file=sys.stderr)
            return 1
    left = contradictions()
    for line in left:
        print(f"manifest: {line}", file=sys.stderr)
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main())
