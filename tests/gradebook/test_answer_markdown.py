from __future__ import annotations

import html
import time

import pytest
from bs4 import BeautifulSoup

from grader.gradebook.answer_markdown import TICKED, UNTICKED, _fitted
from grader.gradebook.lost_words import lost
from grader.gradebook.safe_html import render

HEAD = "| a | b |\n|---|---|\n"


def page(source):
    return BeautifulSoup(render(source), "html.parser")


def rows(source):
    """The cells' texts, row by row, of the only table."""
    tables = page(source).find_all("table")
    assert len(tables) == 1
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in tables[0].find_all("tr")]


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| $q(z|x)$ | encoder |", ["$q(z|x)$", "encoder"]),
        ("| $\\|x\\|^2$ | norm |", ["$\\|x\\|^2$", "norm"]),
        ("| $|z|$ $|z|$ | twice |", ["$|z|$ $|z|$", "twice"]),
        ("| $|z|$ | $|z|$ |", ["$|z|$", "$|z|$"]),
        ("| $|z|$$|z|$ | side by side |", ["$|z|$$|z|$", "side by side"]),
        ("| $a\\$|b$ | a dollar in it |", ["$a\\$|b$", "a dollar in it"]),
        ("| \\\\[q(z|x)\\\\] | display |", ["$$q(z|x)$$", "display"]),
        ("| \\\\(q(z|x)\\\\) | inline |", ["$q(z|x)$", "inline"]),
        (
            "| \\begin{equation}q(z|x)\\end{equation} | environment |",
            ["\\begin{equation}q(z|x)\\end{equation}", "environment"],
        ),
        ("| \\begin{align*}|z|\\end{align*} |", ["\\begin{align*}|z|\\end{align*}", ""]),
        ("| $$p(x|z)$$ | display |", ["$$p(x|z)$$", "display"]),
        ("| `a|b` | code |", ["a|b", "code"]),
        ("| ``a`|b`` | code |", ["a`|b", "code"]),
        ("| `a\\|b` | code |", ["a|b", "code"]),
        ("| x \\| y | escaped |", ["x | y", "escaped"]),
        ("| too few |", ["too few", ""]),
        ("| $q(z|x)$ |", ["$q(z|x)$", ""]),
        ("| $ q(z | x)$ |", ["$ q(z | x)$", ""]),
        ("| $|z|$ |", ["$|z|$", ""]),
        ("| $$p(x|z)$$ |", ["$$p(x|z)$$", ""]),
        ("| \\\\[q(z|x)\\\\] |", ["$$q(z|x)$$", ""]),
        ("| `a|b` |", ["a|b", ""]),
        ("| 5$ | $q(z|x)$ |", ["5$", "$q(z|x)$"]),
        ("| too | many | of | them |", ["too", "many | of | them"]),
        ("| 5$ | 6$ |", ["5$", "6$"]),
        ("| $5 | $6 |", ["$5", "$6"]),
        ("| 5 $ |  6 $ |", ["5 $", "6 $"]),
        ("| 5$|6$ |", ["5$", "6$"]),
        ("| $$ | $$$ |", ["$$", "$$$"]),
        ("| a` | b` |", ["a`", "b`"]),
        (f"| {'long ' * 500}$q(z|x)$ | `a|b` |", [f"{'long ' * 500}$q(z|x)$", "a|b"]),
        (f"| $q(z|x)${' long' * 500} |", [f"$q(z|x)${' long' * 500}", ""]),
        (f"| `{'a' * 2500}\\|b` | code |", [f"{'a' * 2500}|b", "code"]),
        ("open | at the sides", ["open", "at the sides"]),
        ("| no bar at | the end", ["no bar at", "the end"]),
        ("| **bold** | *and so on* |", ["bold", "and so on"]),
    ],
)
def test_a_row_is_read_as_jupyterlab_reads_it(row, cells):
    # Also where other rows of the table are as they should be, which a row that is not must not spoil.
    assert rows(f"{HEAD}| 1 | 2 |\n{row}\n| 3 | 4 |\n") == [["a", "b"], ["1", "2"], cells, ["3", "4"]]


def test_a_formula_stays_whole_where_cells_are_too_few():
    source = "| net | dist | role |\n|---|---|---|\n| encoder | $q(z|x)$ |\n| $ q(z | x)$ | `a|b` |\n"
    assert rows(source)[1:] == [["encoder", "$q(z|x)$", ""], ["$ q(z | x)$", "a|b", ""]]


@pytest.mark.parametrize(
    ("line", "tag", "text"),
    [
        ("- $q(z|x)$ is the encoder", "li", "$q(z|x)$ is the encoder"),
        ("* a | b", "li", "a | b"),
        ("1. a | b", "li", "a | b"),
        ("2) a | b", "li", "a | b"),
        ("  - a | b", "li", "a | b"),
        ("> $q(z|x)$ | b", "blockquote", "$q(z|x)$ | b"),
        ("## b | c", "h2", "b | c"),
        ("```a|b\nc\n```", "pre", "a|b\nc"),
        ("    a | b", "pre", "a | b"),
        ("<b>a | b</b>", "b", "a | b"),
        ("<div>a | b</div>", "div", "a | b"),
        ("<p align='center'>a | b", "p", "a | b"),
        ("$$p(x|z)$$", "p", "$$p(x|z)$$"),
        ("\\\\[p(x|z)\\\\]", "p", "$$p(x|z)$$"),
        ("$$ p(x|z)\n= 1 $$", "p", "$$ p(x|z)\n= 1 $$"),
        ("where $q(z|x)$ is `a|b`", "p", "where $q(z|x)$ is a|b"),
    ],
)
def test_a_table_ends_where_another_block_begins(line, tag, text):
    source = f"{HEAD}| 1 | 2 |\n{line}\n\nbehind"
    assert rows(source) == [["a", "b"], ["1", "2"]]
    assert text in [found.get_text().strip() for found in page(source).find_all(tag)]
    assert "|---" not in page(source).get_text()


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("-1 | 2", ["-1", "2"]),
        ("0.5 | 2", ["0.5", "2"]),
        ("#1 | 2", ["#1", "2"]),
        ("*a* | b", ["a", "b"]),
        ("`a` | b", ["a", "b"]),
        ("<b>a</b> | b", ["a", "b"]),
        ("<b>a</b> | <b>b</b>", ["a", "b"]),
        ("$p(x|z)$ | b", ["$p(x|z)$", "b"]),
    ],
)
def test_a_row_without_bars_at_its_sides_is_no_other_block(line, cells):
    assert rows(f"{HEAD}{line}\n| 3 | 4 |") == [["a", "b"], cells, ["3", "4"]]


def test_a_bar_in_the_head_counts_as_little():
    assert rows("| $q(z|x)$ | `a|b` |\n|:--|--:|\n| 1 | 2 |\n")[0] == ["$q(z|x)$", "a|b"]


@pytest.mark.parametrize("before", ["> ", "- ", "1. "])
def test_tables_stand_in_quotes_and_lists(before):
    later = "> " if before == "> " else " " * len(before)
    source = "\n".join(
        (before if number == 0 else later) + line
        for number, line in enumerate(f"{HEAD}| $q(z|x)$ | 1 |".splitlines())
    )
    assert rows(source) == [["a", "b"], ["$q(z|x)$", "1"]]


@pytest.mark.parametrize(
    "source",
    [
        "We have $q(z|x)$ and\n`a|b`\n---\nand more",
        "```\n| a | b |\n|---|---|\n| 1 | 2 |\n```",
        "    | a | b |\n    |---|---|\n    | 1 | 2 |",
        "| a | b |\n| c | d |",
    ],
)
def test_a_bar_outside_tables_makes_none(source):
    assert not page(source).find_all("table")
    assert page(source).get_text().count("|") == source.count("|")


def test_a_task_list_has_boxes():
    items = [item.get_text().strip() for item in page("- [x] done\n- [ ] open\n- [X] also").find_all("li")]
    assert items == [f"{TICKED} done", f"{UNTICKED} open", f"{TICKED} also"]
    assert "input" not in render("- [x] done\n\n- [ ] apart")
    assert render("- [x] done\n\n- [ ] apart").count(UNTICKED) == 1


def test_a_dollar_that_was_escaped_is_no_formula():
    assert "costs \\$5 and \\$6" in page("costs \\$5 and \\$6").get_text()  # MathJax draws `\$` as a dollar
    assert page("\\*not bold\\*").get_text().strip() == "*not bold*"


@pytest.mark.parametrize(
    "source",
    [
        "![a plot](attachment:plot.png)",
        "![a plot](plot.png)",
        "<img src='attachment:plot.png' alt='a plot'>",
        '<div><img width=10 src="C:\\images\\plot.png" alt="a plot"/></div>',
        "![a plot](https://elsewhere.example/x/plot.png)",
    ],
)
def test_a_picture_that_is_not_there_is_named(source):
    shown = page(source).get_text()
    assert "picture plot.png is not in what was handed in" in shown
    assert "a plot" in shown or page(source).find("img", alt="a plot")
    assert "elsewhere" not in shown


def test_a_figure_that_is_not_there_is_named(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.png").write_bytes(b"figure")
    shown = render("![one](figures/a.png) ![two](figures/b.png)", folder=tmp_path)
    assert "base64,ZmlndXJl" in shown
    assert "two <em>(picture b.png is not in what was handed in" in shown


# Each hides a part of its text from a reader, in JupyterLab too; whoever marks sees all of it.
@pytest.mark.parametrize(
    "source",
    [
        "see <!-- the hidden answer -->",
        "<!-- never closed, the hidden answer",
        "<![CDATA[ the hidden answer ]]>",
        "<? the hidden answer ?>",
        "[answer]: hidden",
        "The answer[^1].\n\n[^1]: hidden",
        "is <a hidden answer> shown",
        "<div>\nloss a<b hidden answer\n</div>",
        "<p hidden>a hidden answer</p>",
        '[1]: https://example.org "the hidden answer"',
    ],
)
def test_text_that_markdown_hides_is_shown(source):
    shown = page(source).get_text()
    assert "hidden" in shown
    assert "answer" in shown


@pytest.mark.parametrize(
    "source",
    [
        "1. one\n2. two\n\n- [x] three\n  1. four",
        "```python\nx = 1\n```\n\n~~~json\n{}\n~~~",
        '[link](https://example.org/a "title") <https://example.org> [a][ref]\n\n[ref]: https://example.org/b',
        "**b**old &alpha; &amp; $\\alpha < \\beta$ \\href x",
        "<details open><summary>more</summary><b title='t'>text</b></details>",
        "Zoë naïve \u202e turned " + "a" + "\u0300" * 9,
        "# Title #\n\nText\n====\n\n> quote\n\n---\n",
        "$$\n\\begin{aligned} a &< b \\\\ c &> d \\end{aligned}\n$$",
    ],
)
def test_text_that_shows_is_not_told_twice(source):
    assert "As it was typed" not in render(source)


def test_lost_words_are_found_by_what_a_reader_sees():
    assert lost("one two", "<p>one</p>") == ["two"]
    assert lost("one two", '<p title="two">one</p>') == []
    assert lost("o**n**e", "<p>o<b>n</b>e</p>") == []


@pytest.mark.parametrize(
    "row",
    [
        "`" + "``".join(f"{'`' * n}x" for n in range(60)),
        "$" * 1999,
        "|" * 50_000,
        "`|" * 900,
        "`|" * 5_000,
        "|".join("`" * n for n in range(200)),
        "$5 |" * 5_000,
        f"1 |\n<{'a-' * 50_000}|",
    ],
)
def test_no_row_takes_long(row):
    start = time.process_time()
    render(f"{HEAD}| {row} |\n" * 5)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "row",
    [
        *("$", "$$|", "$5 |", "`|", "\\\\(|", "\\\\[", "\\begin{a}|", "<b>|", "\\|", "`\\|` "),
        "".join(f"{'`' * n}|" for n in range(300)),
        "".join(f"\\begin{{{name:b}}}|".replace("0", "a").replace("1", "b") for name in range(2_000)),
    ],
)
def test_the_cells_of_a_row_are_told_in_the_time_that_its_length_takes(row):
    """Without what mistune makes of them. The square of so many characters would take minutes."""
    start = time.process_time()
    _fitted(row * (200_000 // len(row)), 2)
    assert time.process_time() - start < 2


def test_what_is_told_as_typed_is_harmless():
    shown = render("<!-- <script>alert(1)</script> \\href{javascript:alert(1)}{x} -->")
    assert "<script" not in shown
    assert "\\href" not in html.unescape(shown)
