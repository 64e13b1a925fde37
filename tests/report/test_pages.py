"""What the pages say, and what they hold back."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import markdown
import mistune
import pytest
from markdown_it import MarkdownIt

from grader.marking.result import FAILED, GRADER_ERROR, CheckResult, Note
from grader.report.figures import replace_figures
from grader.report.pages import write_pages
from grader.report.pages.cohort import most_failed, needs_a_look
from grader.report.pages.findings import find
from grader.report.pages.load import load
from grader.report.pages.markdown import code, prose
from grader.report.pages.student import MOST_BYTES
from grader.report.results_json import write_result

from .cohort import put_together, recorded
from .conftest import MARKUP, SCRIPT
from .images import png
from .results import not_imported, passed, raised, result, value_off, waiting, with_checks


class Page(HTMLParser):
    """A page's tags with their attributes, and its text without scripts and styles."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside not in ("script", "style"):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def student(folder, one) -> tuple[Page, str]:
    """The student's page and its Markdown version."""
    write_result(folder, one)
    write_pages(folder)
    texts = [(folder / one.submission / name).read_text() for name in ("feedback.html", "feedback.md")]
    return Page(texts[0]), texts[1]


def test_a_cohort_of_300_is_built_in_time_and_within_its_size(cohort_of_300):
    assert cohort_of_300.seconds < 30
    assert cohort_of_300.pages.submissions == 300
    assert (cohort_of_300.folder / "index.html").stat().st_size < 2 * 2**20
    sizes = [path.stat().st_size for path in cohort_of_300.folder.glob("*/feedback.html")]
    assert len(sizes) == 300
    assert max(sizes) < 100 * 2**10
    assert all(path.stat().st_size < 2 * 2**20 for path in cohort_of_300.folder.glob("item-*.html"))


def test_nothing_on_a_page_comes_from_elsewhere(with_pictures):
    for path in with_pictures.folder.rglob("*.html"):
        page = Page(path.read_text())
        for tag, attributes in page.tags:
            for name in ("src", "href", "srcset", "action", "data"):
                address = attributes.get(name) or ""
                assert not re.match(r"(?i)\s*(\w+:|//)", address) or address.startswith("data:"), (
                    tag,
                    address,
                )
        assert not re.search(r"url\((?!#)", path.read_text())
        assert "@import" not in path.read_text()


def test_every_link_leads_somewhere(with_pictures):
    from urllib.parse import unquote

    for path in with_pictures.folder.rglob("*.html"):
        for _, attributes in Page(path.read_text()).tags:
            for address in (attributes.get("href"), attributes.get("src")):
                if address and not address.startswith("data:"):
                    file, _, anchor = address.partition("#")
                    target = path.parent / unquote(file) if file else path
                    assert target.is_file(), (path, address)
                    if anchor:
                        assert f'id="{anchor}"' in target.read_text(), (path, address)


def test_markup_in_any_field_stays_text(with_scripts):
    pages = list(with_scripts.folder.rglob("*.html"))
    assert len(pages) == 2 + 1 + 16 + 7
    sheet = Page((with_scripts.folder / "item-1.9.figure.html").read_text())
    assert len([image for image in sheet.all("img") if "figures" in (image.get("src") or "")]) == 2
    for path in pages:
        page = Page(path.read_text())
        assert len(page.all("script")) == (0 if path.name == "feedback.html" else 1), path
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")], path
        assert not [image for image in page.all("img") if image.get("src") == "x"], path
        assert not [link for link in page.all("a") if (link.get("href") or "").startswith("javascript:")]
    cohort = Page((with_scripts.folder / "index.html").read_text()).text
    assert cohort.count(MARKUP.replace("/", "")) >= 2
    assert SCRIPT in cohort
    names = sorted(path.parent.name for path in with_scripts.folder.glob("*/feedback.html"))
    text = Page((with_scripts.folder / names[0] / "feedback.html").read_text()).text
    assert SCRIPT in text
    assert names[0] in text


RENDERERS = {
    "CommonMark": lambda text: MarkdownIt("commonmark").render(text),
    "GitHub": lambda text: MarkdownIt("gfm-like", {"linkify": False}).render(text),
    "mistune": lambda text: mistune.html(text),
    "Python-Markdown": lambda text: markdown.markdown(text, extensions=["tables"]),
}


@pytest.mark.parametrize("renderer", RENDERERS.values(), ids=RENDERERS)
def test_markup_stays_text_in_markdown(with_scripts, renderer):
    for path in with_scripts.folder.glob("*/feedback.md"):
        page = Page(renderer(path.read_text()))
        allowed = {"h1", "h2", "p", "ul", "li", "code", "strong", "table", "thead", "tbody", "tr", "th", "td"}
        assert {tag for tag, _ in page.tags} <= allowed | {"em"} - {"a", "img", "script"}
        assert not page.all("a")
        assert not page.all("em")
        assert MARKUP in page.text


def test_the_markdown_reads_well(tmp_path):
    told = result(
        "Doe_Jane_17",
        lambda item: (
            (FAILED, 0.5, "KLD of [7, 5] inputs should have shape [7], but has [5]", "sum over dim=-1 only")
            if item.id == "1.7.kld"
            else passed(item)
        ),
    )
    text = student(tmp_path, told)[1]
    assert text.startswith(
        "# Doe_Jane_17: 21.75 of 22.5 points\n\nAutomatic marks. 41.5 more of the 64 points"
    )
    assert "## 1.7.kld KLD: failed, 0.75 of 1.5\n" in text
    assert "- `KLD of [7, 5] inputs should have shape [7], but has [5]` (second)\n" in text
    assert "Likely cause, and what to try: sum over dim=-1 only\n" in text
    assert "| 1.7 Build and train a VAE | 9.75 of 10.5 |\n" in text
    assert "| 2.4 The autoencoder | 2 of 2 |\n" in text
    assert "Passed: 1.7.reparameterize, 1.7.bpd" in text
    assert "\n\n\n" not in text
    assert text.endswith(".\n")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("sum over [7, 5] only", "sum over [7, 5] only"),
        ("sample_reparameterize", "sample_reparameterize"),
        ("_x_ *y*", r"\_x\_ \*y\*"),
        ("[a](b)", "&#91;a&#93;(b)"),
        ("<b> & `c`", r"&lt;b&gt; &amp; \`c\`"),
        ("- item", "&#8203;- item"),
    ],
)
def test_prose_in_markdown(text, written):
    assert prose(text) == written


def test_code_in_markdown_cannot_be_left():
    assert code("a `b` ``c``\nd") == "`a 'b' ''c'' d`"
    assert code("") == ""


def test_the_students_page_tells_what_was_expected_what_came_and_what_to_try(tmp_path):
    told = result(
        "s1",
        lambda item: (
            (FAILED, 0.5, "it has [5], not [7]", "sum over the last dimension")
            if item.id == "1.7.kld"
            else passed(item)
        ),
    )
    page, _ = student(tmp_path, told)
    text = " ".join(page.text.split())
    for piece in (
        "21.75 of 22.5 points",
        "9.75 / 10.5",
        "KLD ✗ failed 0.75 / 1.5",
        "second it has [5], not [7]",
        "Likely cause, and what to try sum over the last dimension",
        "1 check passed",
    ):
        assert piece in text, piece
    assert "41.5 more of the 64 points" in text


def test_nothing_of_the_graders_inside_is_on_the_students_page(tmp_path):
    ours = "the grader failed: the box: /srv/grader/box broke down"
    one = result(
        "s1",
        lambda item: (GRADER_ERROR, 0.0, ours, "grade again") if item.id == "1.7.kld" else passed(item),
        warnings=(
            "look at is_linear by hand: it was surprised by TypeError: x (test_kld.py, line 3)",
            "draws_afresh: the box: broken pipe (part.py, line 80)",
            "pytest ended with 3: INTERNALERROR",
            "part1/extra.py is not one of the files of the assignment and was not read",
            "handed in as single files, without part1/ and part2/",
        ),
        violations=(
            "1.7.kld: uses torch.distributions, which the assignment forbids "
            "(--allow-distributions waives this)",
        ),
    )
    notes = (
        Note("1.7.kld: uses torch.distributions, which the assignment forbids", kind="rule"),
        *(Note(line, "staff", "grader") for line in one.warnings[:3]),
        *map(Note, one.warnings[3:]),
    )
    one = replace(one, seed=918_273_645, suite="sha256:fedcba9876", notes=notes)
    write_result(tmp_path, result("another"))
    (tmp_path / "similar.json").write_text('{"pairs": [{"a": "s1", "b": "another", "score": 1.0}]}')
    page, text = student(tmp_path, one)
    whole = (tmp_path / "s1" / "feedback.html").read_text() + text
    for hidden in (
        "918273645",
        "fedcba",
        "the box",
        "by hand",
        "pytest",
        "another",
        "broken pipe",
        "--allow",
        str(tmp_path),
    ):
        assert hidden not in whole, hidden
    assert "part1/extra.py is not one of the files" in page.text
    assert "handed in as single files" in page.text
    assert "uses torch.distributions, which the assignment forbids" in page.text
    assert "could not be marked yet" in page.text
    assert "could not be marked yet" in text


def test_pictures_are_held_by_the_page_and_figures_too_while_there_is_room(tmp_path, with_pictures):
    pages = list(with_pictures.folder.glob("*/feedback.html"))
    assert max(path.stat().st_size for path in pages) < 500_000
    first = next(path for path in pages if len(list((path.parent / "figures").glob("*.png"))) == 13)
    images = Page(first.read_text()).all("img")
    assert {image["src"].partition(",")[0] for image in images} == {
        f"data:image/{kind};base64" for kind in ("png", "svg+xml", "webp")
    }
    assert all(image["alt"] for image in images)
    assert len(images) == 5 + 13, "pictures, and figures"

    write_result(tmp_path, result("s1"))
    (tmp_path / "s1" / "figures" / "small").mkdir(parents=True)
    for index in range(9):
        for place in ("figures", "figures/small"):
            (tmp_path / "s1" / place / f"{index}.png").write_bytes(png(5, 5) + bytes(100_000))
    write_pages(tmp_path)
    page = tmp_path / "s1" / "feedback.html"
    assert MOST_BYTES - 150_000 < page.stat().st_size < 500_000
    tags = Page(page.read_text())
    sources = [image["src"] for image in tags.all("img")]
    assert len(sources) == 9
    assert sources[-1] == "./figures/small/8.png"
    assert "./figures/8.png" in [link.get("href") for link in tags.all("a")]


def figures_of(folder, **stems: tuple[str, ...]) -> None:
    """Results with figures of these names."""
    for name, names in stems.items():
        write_result(folder, result(name))
        replace_figures(folder / name, {f"figures/{stem}.png": png(5, 5) for stem in names})


def test_one_mistake_that_costs_much_stands_at_the_top(tmp_path):
    lost = recorded()["submissions"]["syntax_error"]["lost"]
    page, told = student(tmp_path, put_together("s1", lost, 9.0))
    text = " ".join(page.text.split())
    start = text[text.index("Where to start") : text.index("sample_reparameterize")]
    assert "1.7.reparameterize −12.5 with 6 items that follow from it" in start  # noqa: RUF001 (a minus)
    assert "py_compile part1/utils.py" in text
    assert "py_compile part1/utils.py" in told


def test_figures_stand_by_their_item_and_what_is_missing_is_said(tmp_path):
    figures_of(tmp_path, s1=("1.9_manifold", "1.8_samples_epoch_010", "report-2.6", "2.6 my idea", "else"))
    write_pages(tmp_path)
    text = " ".join(Page((tmp_path / "s1" / "feedback.html").read_text()).text.split())
    section = text[text.index("Figures you handed in") :]
    for piece in (
        "1.7.curves Curves of bits per dimension and the test score 1.5 points None",
        "1 point 64 samples after 10 epochs 1.9.figure",
        "The 20 x 20 manifold of a VAE with 2 latent dimensions 2.4.figure",
        "points 2.6 my idea in report.ipynb 2.7",
        "Others else",
    ):
        assert piece in section, piece
    told = (tmp_path / "s1" / "feedback.md").read_text()
    assert "1.7.curves (none), 1.8.grids (1), 1.9.figure (1)" in told
    assert "2.6 (2), 2.7 (none), others (1)." in told


def test_without_figures_nobody_hears_of_them(tmp_path):
    page, text = student(tmp_path, result("s1"))
    assert "handed in" not in page.text
    assert "igures that arrived" not in text
    assert not list(tmp_path.glob("item-1.9.figure.html"))


def test_items_marked_by_eye_have_their_contact_sheets(tmp_path):
    figures_of(tmp_path, s1=("1.8_samples_epoch_010", "1.8 before"), s2=("1.8_samples_epoch_010",), s3=())
    write_pages(tmp_path)
    page = Page((tmp_path / "item-1.8.grids.html").read_text())
    assert [link["href"] for link in page.all("a") if link.get("rel")] == [
        *("./item-1.8.sample.html", "./item-1.9.manifold.html"),
    ]
    assert [image.get("data-large") for image in page.all("img")] == [
        "./s1/figures/1.8_samples_epoch_010.png",
        "./s1/figures/1.8%20before.png",
        "./s2/figures/1.8_samples_epoch_010.png",
    ]
    captions = [tag.get("title") for tag in page.all("i")]
    assert captions == ["64 samples before training", "64 samples after 80 epochs"] * 2, "what is missing"
    assert [tag.get("data-s") for tag in page.all("li") if "data-s" in tag] == ["i", "i"]
    assert "1 without any figure of this items3" in " ".join(page.text.split())
    cohort = " ".join(Page((tmp_path / "index.html").read_text()).text.split())
    assert "1.8.gridsSamples before, during and after training / 167% 2" in cohort
    for name in ("s1", "s2"):
        replace_figures(tmp_path / name, {})
    write_pages(tmp_path)
    assert not (tmp_path / "item-1.8.grids.html").exists()
    assert "1.8.grids" not in (tmp_path / "index.html").read_text()


def test_who_needs_a_look_and_why(cohort_of_300, with_pictures):
    records, _ = load(cohort_of_300.folder)
    found = {one.record.name[-3:]: " | ".join(one.reasons) for one in needs_a_look(records)}
    assert set(found) == {"008", "012", "014", "018"}
    assert "did not finish within 20 s (1.9.manifold)" in found["008"]
    assert "can't allocate memory" in found["008"]
    assert found["012"].startswith("not marked, the grader's fault (nothing was marked): the process that")
    assert found["014"] == "could not be read: the archive is damaged or cut off and cannot be read"
    assert "rule broken: 1.7.kld: uses torch.distributions" in found["018"]
    assert "by hand: it was surprised by TypeError" in found["018"]
    alike = {one.record.name[-3:]: one.reasons for one in needs_a_look(load(with_pictures.folder)[0])}
    assert set(alike) == {"002", "003", "008", "012", "014", "018"}
    assert alike["002"][0].startswith("97% the same as ")


def test_a_figure_that_is_not_shown_needs_a_look_and_one_too_many_does_not(tmp_path):
    broken = "figure figures/a.png: it is not shown: it cannot be read as an image"
    many = "figure figures/b.png: it is not shown: only 24 figures are kept, 2 more are not"
    notes = (Note(broken), Note(many, kind="figures"))
    page, _ = student(tmp_path, replace(result("s1", warnings=(broken, many)), notes=notes))
    ((record,), _) = load(tmp_path)
    assert needs_a_look([record])[0].reasons == [f"warning: {broken}"]
    assert broken in page.text
    assert many in page.text


def test_a_run_without_a_sandbox_needs_a_look(tmp_path):
    write_result(tmp_path, replace(result("s1"), sandbox="none"))
    ((record,), _) = load(tmp_path)
    assert needs_a_look([record])[0].reasons == ["ran without a sandbox: no gradebook takes these marks"]


def test_what_failed_most_is_counted_by_cause(tmp_path):
    summed = "sum over the last dimension"
    told = {
        **{f"a{i}": value_off("second", f"KLD of [{i}, 5] inputs has shape [{i}]", summed) for i in range(5)},
        **{f"b{i}": value_off("second", f"one is {i}.5 instead of 2", "a half is missing") for i in range(3)},
        "c": raised("second", "17", 9),
    }
    for name, check in told.items():
        write_result(tmp_path, replace(with_checks(kld=[check]), submission=name))
    write_result(tmp_path, result("right"))
    records, _ = load(tmp_path)
    (failure,) = most_failed(records, {record.name: find(record.result) for record in records})
    assert (failure.item, failure.checks, failure.count) == ("1.7.kld", ("second",), 9)
    assert (failure.cause, failure.of_them) == ("sum over the last dimension", 5)
    write_pages(tmp_path)
    text = " ".join(Page((tmp_path / "index.html").read_text()).text.split())
    assert "90% 9 1.7.kld1.7.kldsecond sum over the last dimension (5 of 9)" in text


def test_what_follows_from_another_mistake_is_not_counted_again(tmp_path):
    one = result("s1", lambda item: (FAILED, 0.0, "", "") if item.part == 1 else passed(item))
    checks = (not_imported("second", "x", 45),)
    items = (replace(item, checks=checks) if item.status == FAILED else item for item in one.items)
    write_result(tmp_path, replace(one, items=tuple(items)))
    records, _ = load(tmp_path)
    failures = most_failed(records, {"s1": find(records[0].result)})
    assert [failure.item for failure in failures] == ["1.7.reparameterize"]
    assert failures[0].cause == "utils.py cannot be imported: SyntaxError"


@pytest.mark.parametrize(
    ("check", "family"),
    [
        (value_off("a", "one is -0.25 instead of 1e-05"), "one is # instead of #"),
        (value_off("a", "shape [7], but has [5, 2]"), "shape #, but has #"),
        (raised("a", "'a'", 3, "TypeError"), "KLD raised TypeError"),
        (not_imported("a", "x", 3), "utils.py cannot be imported: SyntaxError"),
        (CheckResult("a", FAILED, 1.0, "one is 3"), "one is 3"),
    ],
)
def test_messages_that_differ_in_values_are_one_family(check, family):
    (finding,) = [finding for here in find(with_checks(kld=[check])) for finding in here.findings]
    assert finding.family == family


def test_time_and_memory_are_shown_where_recorded(tmp_path):
    import json

    path = write_result(tmp_path, replace(result("s1"), seconds=12.34))
    write_pages(tmp_path)
    text = Page((tmp_path / "index.html").read_text()).text
    assert "12.3" in text
    assert "most memory" not in text
    path.write_text(json.dumps({**json.loads(path.read_text()), "memory_mb": 812.4}))
    write_pages(tmp_path)
    assert "812" in Page((tmp_path / "index.html").read_text()).text


def test_pages_that_did_not_change_are_not_written_again(tmp_path):
    write_result(tmp_path, result("s1"))
    write_pages(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.html")}
    write_pages(tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.html")}


def test_an_item_that_the_rubric_does_not_know_breaks_no_page(tmp_path):
    one = result("s1")
    extra = replace(one.items[0], id=MARKUP, checks=(CheckResult("x", FAILED, 1.0, "m", "h"),))
    page, _ = student(tmp_path, replace(one, items=(*one.items, extra)))
    assert "1.7.kld" in page.text
    assert "onerror" not in page.text
    assert not page.all("img")


def test_what_waits_for_a_person_is_said_on_the_students_page(tmp_path):
    one = waiting("s1", {"1.7.kld"}, "part1/utils.py is written for <b>Python</b> 3.12")
    page, text = student(tmp_path, one)
    assert "A person looks at 1.7.kld before it counts: part1/utils.py is written for <b>" in page.text
    assert "A person looks at 1.7.kld before it counts" in text
    page, text = student(tmp_path, result("s2"))
    assert "A person looks at" not in page.text + text
