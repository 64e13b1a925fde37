"""Which answers stand together, and which are pointed out as copies."""

from __future__ import annotations

from grader.desk.answers import Answer
from grader.desk.groups import find_groups, normalised

LONG = (
    "A latent vector is drawn from the standard normal prior, then the decoder turns it into probabilities "
    "for every pixel, and each pixel is drawn from its own categorical distribution."
)
OTHER = (
    "The encoder gives the mean and the deviation of the posterior. From them one draws, and what comes out "
    "of the decoder is compared with the image that went in, pixel by pixel."
)


def answer(text: str, pictures: bool = False, digest: str = "") -> Answer:
    return Answer(text, (), pictures, digest or text)


def groups(texts, figures=None, alike=92, apart=frozenset(), model=""):
    answers = {name: text if isinstance(text, Answer) else answer(text) for name, text in texts.items()}
    shown = {name: (figures or {}).get(name, "") for name in answers}
    return find_groups(answers, shown, list(answers), alike, apart, model)


def members(found):
    return [group.members for group in found.groups]


def test_blank_answers_stand_together():
    found = groups({"a": "YOUR ANSWER HERE", "b": LONG, "c": "  "})
    assert members(found) == [("a", "c"), ("b",)]
    assert found.groups[0].blank


def test_case_blanks_and_marks_make_no_difference():
    assert normalised("**The** prior, $p(z)$!") == normalised("the  prior p z")
    assert members(groups({"a": "It is the Prior.", "b": "it is  the prior", "c": "No."})) == [
        ("a", "b"),
        ("c",),
    ]


def test_nearly_identical_answers_stand_together_and_others_do_not():
    found = groups({"a": LONG, "b": LONG.replace("drawn", "darwn"), "c": OTHER})
    assert members(found) == [("a", "b"), ("c",)]
    assert 92 <= found.groups[0].likeness < 100


def test_short_answers_stand_together_only_when_identical():
    assert members(groups({"a": "the prior p(z)", "b": "the prior q(z)"})) == [("a",), ("b",)]


def test_every_member_is_as_alike_to_the_leader_as_the_setting_says():
    """No chain: each step is small, the ends are far apart."""
    steps = [LONG]
    for word in ("latent", "standard", "decoder", "probabilities", "every", "categorical"):
        steps.append(steps[-1].replace(word, "x" * len(word)))
    found = groups(dict(enumerate(steps)), alike=95)
    assert len(found.groups) > 1
    assert all(group.likeness >= 95 for group in found.groups)


def test_the_same_words_about_other_pictures_are_another_group():
    texts = {"a": LONG, "b": LONG, "c": LONG}
    assert members(groups(texts, {"a": "1", "b": "2", "c": "1"})) == [("a", "c"), ("b",)]
    pasted = {"a": answer(LONG, True, "one"), "b": answer(LONG, True, "two")}
    assert members(groups(pasted)) == [("a",), ("b",)]


def test_one_that_was_taken_out_stands_alone_and_draws_nobody_along():
    texts = {"a": LONG, "b": LONG, "c": LONG}
    assert members(groups(texts, apart={"a"})) == [("b", "c"), ("a",)]


def test_copies_of_each_other_and_of_the_model_answer_are_pointed_out():
    found = groups(
        {"a": LONG, "b": LONG.replace("then", "and then"), "c": OTHER}, model=f"First. {OTHER} Then."
    )
    assert [(copy.other, copy.likeness > 90) for copy in found.copies_of("a")] == [("b", True)]
    assert [copy.other for copy in found.copies_of("c")] == [""]


def test_short_answers_are_no_copies():
    assert groups({"a": "We draw from the prior.", "b": "We draw from the prior."}).copies_of("a") == ()
