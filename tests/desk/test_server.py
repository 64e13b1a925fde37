"""The desk on a real Jupyter server: who gets in, what a page may send, and what it is told when it fails."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator

import pytest
import requests

from grader.desk.extension import routes
from grader.evidence.facts import Claim, Evidence, Kind, Reason, Run, Verdict, write_evidence
from grader.gradebook.course import Course
from tests.desk.serving import CELL, TOKEN, Person, Server, scores, served

EVIL = "</script><script>document.title='gone'</script><img src=x onerror=alert(1)><b onclick=alert(1)>b</b>"


@pytest.fixture(scope="module")
def shared(demo: Course, tmp_path_factory) -> Iterator[tuple[Course, Server]]:
    """A course that the tests of this file share, with a server. One answer of it is hostile."""
    folder = tmp_path_factory.mktemp("served") / "dgm"
    shutil.copytree(demo.root, folder)
    course = Course(folder)
    notebook = course.autograded("s0002") / "report.ipynb"
    table = json.loads(notebook.read_text())
    for cell in table["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "q1-2":
            cell["source"] = f"Hello {EVIL} $\\href{{javascript:alert(1)}}{{x}}$ [x](javascript:alert(1))"
    notebook.chmod(0o644)
    notebook.write_text(json.dumps(table))
    with served(course, tmp_path_factory.mktemp("home")) as server:
        yield course, server


@pytest.fixture
def address(shared) -> str:
    return shared[1].address


@pytest.fixture
def ana(address) -> Person:
    person = Person(address)
    yield person
    person.call("release")


def places() -> list[str]:
    """An address for every route."""
    filled = [
        pattern.replace(r"(q[0-9a-z_-]+)", CELL)
        .replace(r"([0-9a-f]{32})", "0" * 32)
        .replace(r"([\w.-]+)", "mark.js")
        .replace(r"([^/]+)", "1.9_manifold.png")
        .replace(".*", "nothing")
        for pattern, _ in routes()
    ]
    assert not any(char in place for place in filled for char in "([\\")
    return filled


def test_nothing_is_shown_without_the_token(address):
    for place in places():
        for query in ({}, {"token": "wrong"}):
            got = requests.get(f"{address}/desk{place}", params=query, allow_redirects=False, timeout=30)
            assert got.status_code in (302, 403, 405), place
            if got.status_code == 302:
                assert "/login" in got.headers["Location"], place
            assert "Marking desk" not in got.text or got.status_code in (403, 405), place
            assert "import" not in got.text, place
            posted = requests.post(f"{address}/desk{place}", params=query, json={}, timeout=30)
            assert posted.status_code in (403, 405), place


def test_with_the_token_every_page_comes_and_loads_nothing_from_elsewhere(ana):
    for place in ("", f"/mark/{CELL}", f"/groups/{CELL}", "/agreement", f"/agreement/{CELL}", "/progress"):
        page = ana.page(place)
        assert page.status_code == 200, place
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
    for place in ("/history", "/settings", "/static/mark.js", "/static/desk.css", "/static/mathjax.js"):
        assert ana.page(place).status_code == 200, place


def test_a_forged_request_of_another_site_changes_nothing(shared, ana):
    course, _ = shared
    task, before = ana.next(), scores(course)
    body = {"browser": ana.browser, "cell": CELL, "answer": task["answer"], "version": task["version"]}
    for headers in ({}, {"X-XSRFToken": "guessed"}):
        got = ana.session.post(f"{ana.root}/api/save", json=body | {"given": {}}, headers=headers, timeout=30)
        assert got.status_code == 403
        assert "does not come from a page of the desk" in got.json()["problem"]
    assert scores(course) == before


def test_a_request_to_another_name_is_refused(address, ana):
    got = ana.session.get(f"{address}/desk", headers={"Host": "evil.example"}, timeout=30)
    assert got.status_code == 403


def test_what_was_measured_with_the_weights_stands_beside_the_answer(shared, ana):
    course, _ = shared
    claim = Claim(Kind.END, Verdict.CONTRADICTED, Reason.BEYOND, 80, 0.45, 0.524, 0.515, 0.533)
    found = Evidence((Run("vae_z_dim_20", ("1.7.curves", "1.8.grids"), (claim,)),))
    for student in sorted(path.name for path in (course.root / "autograded").iterdir()):
        (course.results / student).mkdir(parents=True, exist_ok=True)
        write_evidence(course.results / student, found)
    (line,) = ana.next("q1-7-curves")["evidence"]
    assert line == {
        "verdict": "contradicted",
        "title": "VAE, z_dim 20",
        "text": "the end of the curve 0.45, measured 0.524 (0.515 to 0.533)",
    }
    assert ana.next("q1-9-figure")["evidence"] == []


def test_what_is_saved_is_in_the_gradebook_and_the_next_one_comes_along(shared, ana):
    course, _ = shared
    task, first = ana.next(), ana.items()[0]
    reply = ana.save(task, [first], next=True, passed=[task["answer"]])
    assert reply["points"] == 1
    assert reply["task"]["answer"] != task["answer"]
    assert (1.0, False) in scores(course).values()


def test_a_second_save_is_refused_and_told_what_is_there(ana):
    task, first = ana.next(), ana.items()[0]
    ana.save(task, [first])
    told = ana.save(task, [], status=409)
    assert "yours was not saved" in told["problem"]
    assert (told["theirs"]["points"], told["theirs"]["marker"]) == (1, "Ana")
    assert ana.save(task | {"version": told["version"]}, [])["points"] == 0


def test_an_answer_of_another_browser_is_refused_with_its_holder(address, ana):
    task = ana.next()
    ben = Person(address, "Ben")
    assert "Ana has this answer open" in ben.save(task, [], status=409)["problem"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"cell": "q9-9"}, "no question"),
        ({"cell": "q1-7-kld"}, "no question"),
        ({"cell": 7}, "which cell"),
        ({}, "which cell"),
        ({"cell": CELL, "passed": "x"}, "no list"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(ana, body, told):
    assert told in ana.call("next", 400, **body)["problem"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"browser": "x"}', b"\xff"])
def test_a_body_that_is_none_is_refused(ana, body):
    got = ana.session.post(f"{ana.root}/api/next", data=body, headers={"X-XSRFToken": ana.xsrf}, timeout=30)
    assert got.status_code == 400
    assert got.json()["problem"]


def test_points_that_are_no_number_do_not_reach_the_database(ana):
    task = ana.next()
    raw = json.dumps({"adjustment": float("nan"), "items": []})
    body = f'{{"browser": "{ana.browser}", "cell": "{CELL}", "answer": "{task["answer"]}", "given": {raw}}}'
    got = ana.session.post(f"{ana.root}/api/save", data=body, headers={"X-XSRFToken": ana.xsrf}, timeout=30)
    assert (got.status_code, "number of points" in got.json()["problem"]) == (400, True)


def test_scripts_in_answers_items_and_names_stay_texts(shared, address):
    eve = Person(address, f"Eve {EVIL[:40]}")
    seen, passed = [], []
    while (task := eve.next("q1-2", passed=passed)) is not None:
        passed.append(task["answer"])
        seen.append(task["html"])
    hostile = next(html for html in seen if "Hello" in html)
    assert "<script" not in hostile
    assert "onerror" not in hostile.replace("onerror=alert(1)&gt;", "")
    assert 'href="javascript' not in hostile
    reply = eve.call("item", cell="q1-2", do="add", points=0.5, text=EVIL, note=EVIL)
    html = next(item["html"] for item in reply["items"] if item["id"] == reply["added"])
    assert "<script" not in html.split("<pre>")[0]
    for place in ("/mark/q1-2", "/history", "", "/groups/q1-2"):
        text = eve.page(place).text
        assert "<script>document" not in text, place
        assert "<img src=x" not in text, place
    eve.call("release")


def test_no_page_names_a_student_until_names_are_shown(address, ana):
    passed = []
    while (task := ana.next("q1-3", passed=passed)) is not None:
        passed.append(task["answer"])
        assert "s000" not in json.dumps(task)
    for place in ("", "/mark/q1-3", "/groups/q1-3", "/progress", "/history", "/agreement/q1-3"):
        assert "s000" not in ana.page(place).text, place
    ana.call("settings", changes={"names_shown": True})
    task = ana.next("q1-3")
    assert "s000" in task["name"]
    ana.call("settings", changes={"names_shown": False})


def test_only_instructors_change_settings_where_there_are_some(address, ana):
    assert "put yourself" in ana.call("settings", 400, changes={"instructors": ["Zoe"]})["problem"]
    ana.call("settings", changes={"instructors": ["Ana"]})
    ben = Person(address, "Ben")
    assert "only an instructor" in ben.call("settings", 400, changes={"names_shown": True})["problem"]
    ana.call("settings", changes={"instructors": []})


def test_a_locked_gradebook_is_told_and_the_desk_works_again_afterwards(shared, ana):
    course, _ = shared
    task, first = ana.next(), ana.items()[0]
    with sqlite3.connect(course.root / "gradebook.db", isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        assert "in use" in ana.save(task, [first], status=503)["problem"]
        holder.execute("ROLLBACK")
    assert ana.save(task, [first])["points"] == 1


def test_a_second_server_names_the_first_and_hands_out_other_answers(shared, ana):
    course, first = shared
    one = ana.next()
    second = Server(course, first.log.parent)
    try:
        assert f"this course has a server already, {first.address}/" in second.log.read_text()
        other = Person(second.address, "Ben").next()
        assert other["answer"] != one["answer"]
    finally:
        second.close()


def test_figures_come_by_the_answers_number_and_nothing_else_does(ana):
    task = ana.next("q1-9-figure")
    shown = task["figures"][0]
    base = f"/figure/q1-9-figure/{task['answer']}"
    got = ana.page(f"{base}/{shown['theirs']}")
    assert got.headers["Content-Type"] == "image/png"
    assert ana.page(f"/solution/{shown['ours']}").status_code == 200
    for name in ("..%2Freport.ipynb", "report.ipynb", "..%2f..%2fgradebook.db", "no.png"):
        assert ana.page(f"{base}/{name}").status_code == 404, name
    assert ana.page("/solution/..%2Fresults.md").status_code == 404


def test_the_name_page_leads_to_no_other_site(address):
    with requests.Session() as session:
        page = session.get(f"{address}/desk/who", params={"token": TOKEN}, timeout=30)
        xsrf = page.text.partition('name="_xsrf" value="')[2].partition('"')[0]
        for place in ("https://evil.example", "//evil.example", "/desk//evil.example", "/lab"):
            got = session.post(
                f"{address}/desk/who",
                data={"_xsrf": xsrf, "name": "Ana", "next": place},
                allow_redirects=False,
                timeout=30,
            )
            assert got.headers["Location"] == "/desk"


def test_the_list_of_answers_leads_to_every_one_and_says_who_has_marked_it(address, ana):
    task = ana.next("q1-5")
    ana.save(task | {"cell": "q1-5"}, ana.items("q1-5")[:1])
    ana.call("settings", changes={"second_share": 0.0})
    ben = Person(address, "Ben")
    mine, theirs = ana.page("/answers/q1-5").text, ben.page("/answers/q1-5").text
    link = f'/desk/mark/q1-5/{task["answer"]}"'
    assert mine.count("/desk/mark/q1-5/") == theirs.count("/desk/mark/q1-5/") > 2
    assert link in mine
    assert link in theirs
    row, other = (page.split(link)[1].split("</tr>")[0] for page in (mine, theirs))
    assert "marked by Ana" in row
    assert "1 p" in row
    assert "marked by Ana" in other
    assert "1 p" in other
    ben.call("settings", changes={"marks_shown": False})
    try:
        other = ben.page("/answers/q1-5").text.split(link)[1].split("</tr>")[0]
        assert "marked by Ana" in other
        assert " p<" not in other
        assert "hidden" in other
    finally:
        ben.call("settings", changes={"marks_shown": True})
    assert "Answer 1" in mine
    assert "s0002" not in mine
    ben.call("settings", changes={"names_shown": True})
    try:
        assert "s0002" in ben.page("/answers/q1-5").text
    finally:
        ben.call("settings", changes={"names_shown": False, "second_share": 0.1})


def test_the_history_has_formulas_and_the_courses_time(shared, ana):
    course, _ = shared
    course.policy.write_text('timezone = "Asia/Tokyo"\n')
    text = "the prior $\\mathcal{N}(\\mathbf{0}, \\mathbf{I})$ is **named**, and what follows "
    text += "from it is said, too, in so many words."
    ana.call("item", cell="q2-7", do="add", points=0.25, text=text)
    page = ana.page("/history?question=q2-7").text
    assert "/static/mathjax.js" in page
    assert "<strong>named</strong>, and what follows from it is said, too, in so many words." in page
    assert re.search(
        r'<time datetime="[\d-]+T[\d:]+\+09:00" title="Asia/Tokyo \(JST\)">[\d-]+ \d\d:\d\d</time>', page
    )
    assert "UTC" not in page
    task = ana.next("q2-7")
    ana.save(task, [])
    assert 'title="Asia/Tokyo (JST)"' in ana.page("/progress").text


def test_a_student_is_found_by_name_only_where_names_are_shown(shared, ana):
    course, _ = shared
    with sqlite3.connect(course.root / "gradebook.db") as connection:
        name = ("Zo\u00eb", "M\u00fcller")
        connection.execute("update student set first_name = ?, last_name = ? where id = 's0003'", name)
    for typed in ("s0003", "Zoe", "Zo\u00eb M", "nobody"):
        page = ana.page(f"/find?of={typed}")
        assert "/desk/student/" not in page.url + page.text, typed
        assert "s0003" not in page.text.replace(typed, ""), typed
    hidden = ana.page("/find?of=1.3 answer 2")
    assert re.search("/desk/student/[0-9a-f]{32}$", hidden.url)
    assert "s000" not in hidden.text
    assert hidden.text.count("/desk/mark/q") == 17
    assert ana.page("/find?of=2").text.count("/desk/student/") == 17
    assert "There is no answer" in ana.page("/find?of=1.3 999").text
    assert ana.page(f"/student/{'0' * 32}").status_code == 404
    ana.call("settings", changes={"names_shown": True})
    try:
        page = ana.page("/find?of=muller zoe")
        assert "<h1>Zo\u00eb M\u00fcller (s0003)</h1>" in page.text
        assert ana.page("/find?of=s0003").url == page.url
        assert ana.page("/find?of=s000").text.count("/desk/student/") > 2
        assert "<script>document" not in ana.page(f"/find?of={EVIL}").text
    finally:
        ana.call("settings", changes={"names_shown": False})


def test_no_page_tells_a_second_reader_what_the_first_one_gave(address, ana):
    cell, told = "q2-5-figures", "0.75"
    task = ana.next(cell)
    ana.save(task, [], given={"adjustment": 0.75, "reason": "a reason of its own"})
    ana.call("release")
    ana.call("settings", changes={"second_share": 1.0})
    ben = Person(address, "Ben")
    try:
        opened = ben.call("answer", cell=cell, answer=task["answer"])["task"]
        assert (opened["second"], opened["points"], opened["given"]) == (True, None, None)
        pages = [f"/history?question={cell}", f"/history?question={cell}&answer={task['answer']}"]
        pages += [
            f"/answers/{cell}",
            f"/student/{task['answer']}",
            f"/groups/{cell}?of={task['answer']}",
            f"/agreement/{cell}",
        ]
        for place in pages:
            text = ben.page(place).text.split('<main id="main">')[1]
            assert told not in text, place
            assert "reason of its own" not in text, place
        for place in pages[:4]:
            assert told in ana.page(place).text, place
        assert "hidden" in ben.page(pages[0]).text
        ben.save(opened, [])
        assert told in ben.page(pages[0]).text
    finally:
        ben.call("release")
        ana.call("settings", changes={"second_share": 0.1})


def test_the_first_page_says_a_mean_only_of_what_somebody_has_marked(shared):
    course, server = shared
    person = Person(server.address)
    cell = "q2-3"

    def row() -> str:
        return person.page("").text.split(f'/desk/mark/{cell}"')[1].split("</li>")[0]

    assert "mean \N{EN DASH}" in row()
    blank = [manual for manual, waits in scores(course, cell).values() if not waits]
    assert blank, "a blank answer has 0 points without anybody: choose another question"
    task = person.next(cell)
    person.save(task, [], given={"adjustment": 0.5, "reason": "so"})
    person.call("release")
    assert "mean 0.5 of 2 points" in row()


def test_the_marking_page_leads_to_its_answers_and_the_progress(ana):
    bar = ana.page(f"/mark/{CELL}").text.split("</header>")[0]
    assert f'/desk/answers/{CELL}"' in bar
    assert '/desk/progress"' in bar
