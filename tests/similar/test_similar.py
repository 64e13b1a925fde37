"""Which submissions are alike: copies under other names are, given code and common solutions are not."""

from __future__ import annotations

import csv
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader.cli import main
from grader.report.pages.load import load
from grader.report.results_json import write_result
from grader.similar import alike_pairs, alike_pairs_of, own_code
from grader.similar.own_code import MAX_CHARACTERS
from grader.similar.page import pieces, write_page
from grader.submission import Submission, read_submission
from tests.report.results import result

ROOT = Path(__file__).resolve().parents[2]
UTILS = "part1/utils.py"

ORIGINAL = """
def KLD(mean, log_std):
    variance = torch.exp(2 * log_std)
    total = variance + mean * mean - 1 - 2 * log_std
    return 0.5 * torch.sum(total, dim=-1)

def elbo_to_bpd(elbo, img_shape):
    size = 1
    for side in img_shape[1:]:
        size = size * side
    return elbo * np.log2(np.e) / size
"""
# Every name another, with comments and other spaces.
COPY = """
def KLD(mu, ls):
    # the variance of each dimension
    v = torch.exp( 2 * ls )
    summed = v + mu * mu - 1 - 2 * ls   # equation 13

    return 0.5 * torch.sum(summed, dim=-1)

def elbo_to_bpd(e, shape):
    n = 1
    for s in shape[1:]:
        n = n * s
    return e * np.log2(np.e) / n
"""
OTHER = """
def KLD(mean, log_std):
    prior = (mean.pow(2) + log_std.mul(2).exp()).add(-1)
    return (prior - log_std - log_std).sum(-1).div(2)

def elbo_to_bpd(elbo, img_shape):
    pixels = torch.tensor(img_shape)[1:].prod().item()
    nats_to_bits = 1 / math.log(2)
    return elbo.mul(nats_to_bits).div(pixels)
"""


def unlike(number: int) -> str:
    """A piece of code that shares next to nothing with that of any other number."""
    draw = random.Random(number)
    operators = ["+", "-", "*", "//", "%", "**", "<<", ">>", "|", "&", "^"]
    lines = []
    for line in range(8):
        terms = " ".join(f"{draw.choice(operators)} {draw.randrange(1000)}" for _ in range(8))
        lines.append(f"    x{line} = {draw.randrange(1000)} {terms}")
    return f"def f{number}():\n" + "\n".join(lines) + f"\n    return {number}\n"


def submission(name: str, code: str) -> Submission:
    return Submission(name, {UTILS: code.encode()})


def test_a_copy_under_other_names_is_found_and_comes_first():
    codes = {"one": ORIGINAL, "two": COPY, "three": OTHER}
    pairs = alike_pairs(codes, 10)
    assert (pairs[0].first, pairs[0].second) == ("one", "two")
    assert pairs[0].score > 0.9
    assert all(pair.score < 0.5 for pair in pairs[1:])


def test_what_is_marked_is_what_both_have():
    pair = alike_pairs({"one": ORIGINAL + unlike(3), "two": COPY}, 1)[0]
    marked = [piece.text for piece in pieces(ORIGINAL + unlike(3), pair.spans[0]) if piece.shared]
    assert "variance = torch.exp(2 * log_std)" in "".join(marked)
    assert "return 3" not in "".join(marked)
    assert pair.shares[1] > 0.9 > pair.shares[0]


def test_given_code_is_nobodys_own():
    stub = read_submission(ROOT / "student", "stub")
    assert "raise NotImplementedError" not in own_code(stub)
    assert own_code(stub) == ""
    solved = own_code(read_submission(ROOT / "solutions", "solved"))
    assert "torch.exp(2 * log_std)" in solved
    assert "import torch\n" not in solved
    assert solved.startswith(f"# {UTILS}\n")


def test_two_who_did_nothing_are_not_alike():
    stub = read_submission(ROOT / "student", "stub")
    assert alike_pairs({name: own_code(stub) for name in ("s1", "s2", "s3")}, 10) == []


def test_what_many_have_in_common_does_not_count():
    codes = {f"s{number:02}": ORIGINAL + unlike(number) for number in range(20)}
    before = max(pair.score for pair in alike_pairs(codes, 5))
    codes["copy-1"] = codes["copy-2"] = ORIGINAL + unlike(30)
    pairs = alike_pairs(codes, 5)
    assert (pairs[0].first, pairs[0].second) == ("copy-1", "copy-2")
    assert pairs[0].score > before + 0.2
    shared = "".join(piece.text for piece in pieces(codes["copy-1"], pairs[0].spans[0]) if piece.shared)
    assert "img_shape[1:]" not in shared


def test_a_handful_of_copies_in_a_small_cohort_is_not_common():
    codes = {f"s{number}": unlike(number) for number in range(8)} | {f"c{n}": ORIGINAL for n in range(5)}
    found = {frozenset((pair.first, pair.second)) for pair in alike_pairs(codes, 10)}
    assert found == {frozenset((f"c{n}", f"c{m}")) for n in range(5) for m in range(n)}


def test_no_more_pairs_than_asked_for_and_never_one_with_itself():
    pairs = alike_pairs(dict.fromkeys(("a", "b", "c"), ORIGINAL), 2)
    assert [(pair.first, pair.second) for pair in pairs] == [("a", "b"), ("a", "c")]


def test_long_and_broken_files_are_read(tmp_path):
    code = own_code(Submission("s", {UTILS: b"\xff\x00 def\n" + b"x = 1\n" * 400_000}))
    assert len(code) <= MAX_CHARACTERS
    assert alike_pairs({"a": "def (:\n" * 50, "b": "'" * 500}, 3) is not None


def test_the_page_shows_both_sides_and_runs_nothing(tmp_path):
    evil = "x = '</pre><script>alert(1)</script>'\n" + ORIGINAL
    codes = {"a<b>": evil, "c": COPY, "nothing": ""}
    pairs = alike_pairs(codes, 3)
    write_page(tmp_path / "page.html", pairs, codes, ["nothing"])
    text = (tmp_path / "page.html").read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "a&lt;b&gt; and c" in text
    assert "A score is no verdict." in text
    assert "Without any code of their own: nothing." in text
    assert text.count("<pre") == 2
    sides = re.findall(r"<pre[^>]*>(.*?)</pre>", text, re.DOTALL)
    assert all("<mark>" in side for side in sides)


def test_pieces_make_up_the_code_whatever_the_spans():
    code = "0123456789"
    for spans in ([], [(0, 10)], [(2, 4), (3, 6)], [(8, 99)], [(5, 5)], [(6, 8), (0, 2)]):
        assert "".join(piece.text for piece in pieces(code, spans)) == code
    assert [piece.text for piece in pieces(code, [(2, 4), (3, 6)]) if piece.shared] == ["23", "45"]


def cohort(folder: Path) -> Path:
    for name, code in (("one", ORIGINAL), ("two", COPY), ("three", OTHER)):
        (folder / "cohort" / name / "part1").mkdir(parents=True)
        (folder / "cohort" / name / UTILS).write_text(code)
    return folder / "cohort"


def test_the_command(tmp_path, capsys):
    assert main(["similar", str(cohort(tmp_path)), "--page", str(tmp_path / "p.html"), "--pairs", "1"]) == 0
    line, last = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r" *\d+%  one  two", line)
    assert last == f"page: {tmp_path}/p.html"
    assert (tmp_path / "p.html").read_text().count("<section") == 1


def test_the_pages_of_a_run_name_the_pairs(tmp_path, capsys):
    results = tmp_path / "results"
    results.mkdir()
    for name in ("one", "two", "three"):
        write_result(results, result(name))
    given = [str(cohort(tmp_path)), "--page", str(tmp_path / "p.html"), "--results", str(results)]
    assert main(["similar", *given]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"pages: {results}/index.html"
    records, problems = load(results)
    alike = {record.name: record.alike for record in records}
    assert problems == []
    assert alike["one"][0][0] == "two"
    assert alike["one"][0][1] > 0.9
    assert "the same as two" in (results / "index.html").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ["nowhere"],
        ["COHORT", "--pairs", "0"],
        ["COHORT", "--page", "x/y/z.html"],
        ["COHORT", "--results", "nowhere"],
    ],
)
def test_mistakes_are_status_2(tmp_path, capsys, arguments):
    given = [str(cohort(tmp_path)) if argument == "COHORT" else argument for argument in arguments]
    assert main(["similar", *given]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_scores_do_not_depend_on_pythons_salt(tmp_path):
    place = cohort(tmp_path)
    printed = {
        subprocess.run(
            [sys.executable, "-m", "grader", "similar", place, "--page", tmp_path / "p.html"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_a_copy_of_last_years_is_found_with_its_cohort():
    codes = {"one": COPY, "two": OTHER, "three": unlike(1)}
    others = {"2026": {"one": ORIGINAL, "four": unlike(2)}, "public": {"repo": unlike(3)}}
    (first, *rest) = alike_pairs_of(codes, others, 10)
    assert (first.first, first.second, first.cohort) == ("one", "one", "2026")
    assert first.score > 0.9
    assert all(pair.score < 0.5 for pair in rest)
    assert "variance = torch.exp(2 * log_std)" in "".join(
        piece.text for piece in pieces(ORIGINAL, first.spans[1]) if piece.shared
    )


def test_what_many_of_another_cohort_share_does_not_count_with_it():
    before = {f"t{number:02}": ORIGINAL + unlike(number) for number in range(20)}
    assert alike_pairs_of({"one": COPY}, {"2026": before}, 5) == []
    before["t20"] = unlike(40) + ORIGINAL
    found = alike_pairs_of({"one": COPY + unlike(40)}, {"2026": before}, 5)
    assert found[0].second == "t20"
    assert found[0].score > 0.9
    assert all(pair.score < 0.2 for pair in found[1:])


def test_other_cohorts_change_nothing_of_the_pairs_within(tmp_path, capsys):
    place = str(cohort(tmp_path))
    other = tmp_path / "last" / "copy" / "part1"
    other.mkdir(parents=True)
    (other / "utils.py").write_text(ORIGINAL)
    assert main(["similar", place, "--page", str(tmp_path / "p.html")]) == 0
    (alone, _) = capsys.readouterr().out.splitlines()
    given = ["--against", f"2026={tmp_path / 'last'}", "--csv", str(tmp_path / "p.csv")]
    assert main(["similar", place, "--page", str(tmp_path / "p.html"), *given]) == 0
    within, head, *against = capsys.readouterr().out.splitlines()
    assert within == alone
    assert head == "with other cohorts:"
    assert {line.split("%")[1] for line in against[:2]} == {"  one  copy of 2026", "  two  copy of 2026"}
    with (tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["with"], row["submission"], row["other"], row["cohort"]) for row in rows] == [
        ("this cohort", "one", "two", ""),
        ("another cohort", "one", "copy", "2026"),
        ("another cohort", "two", "copy", "2026"),
    ]
    page = (tmp_path / "p.html").read_text()
    within, _, elsewhere = page.partition("With other cohorts")
    assert "one and two" in within
    assert "copy of 2026" not in within
    assert "one and copy of 2026" in elsewhere
    assert 'id="against-2"' in elsewhere


def test_the_pages_of_a_run_name_pairs_with_other_cohorts(tmp_path, capsys):
    results = tmp_path / "results"
    results.mkdir()
    for name in ("one", "two", "three"):
        write_result(results, result(name))
    other = tmp_path / "2026" / "copy" / "part1"
    other.mkdir(parents=True)
    (other / "utils.py").write_text(COPY)
    given = [str(cohort(tmp_path)), "--page", str(tmp_path / "p.html"), "--against", str(tmp_path / "2026")]
    assert main(["similar", *given, "--results", str(results)]) == 0
    assert "the same as copy of 2026" in (results / "index.html").read_text()
    assert "2026" not in (results / "one" / "feedback.html").read_text()


@pytest.mark.parametrize(
    "arguments",
    [["--against", "nowhere"], ["--against", "COHORT", "--against", "COHORT"], ["--csv", "x/y/z"]],
)
def test_mistakes_with_other_cohorts_are_status_2(tmp_path, capsys, arguments):
    place = str(cohort(tmp_path))
    given = [place if argument == "COHORT" else argument for argument in arguments]
    assert main(["similar", place, "--page", str(tmp_path / "p.html"), *given]) == 2
    assert capsys.readouterr().err.startswith("error: ")
