"""What the sessions of one submission may take together: of the grader's memory, and of the box's."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator

import pytest
import torch

from grader.box import budget as budgets
from grader.box import wire
from grader.box.budget import Budget
from grader.box.client import Session
from grader.box.errors import StudentError
from grader.box.launcher import Box

from .hostile import HostileBox, raw, replying

MEGABYTE = 10**6
HELD = 10 * MEGABYTE  # at a time
Opener = Callable[..., tuple[Session, Budget]]


@pytest.fixture
def answered() -> Iterator[Opener]:
    """Opens a session that gets these values for whatever it asks."""
    opened: list[tuple[HostileBox, Session]] = []

    def open_one(*values: object) -> tuple[Session, Budget]:
        budget = Budget(100.0, kept=HELD)
        box = HostileBox(replying(*({"result": value} for value in values)))
        opened.append((box, Session(box, budget)))
        return opened[-1][1], budget

    yield open_one
    for box, session in opened:
        session.close()
        box.end()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that a test reaches soon: 30 MB in all."""
    monkeypatch.setattr(budgets, "RECEIVED_BYTES", 30 * MEGABYTE)


def floats(megabytes: float) -> torch.Tensor:
    return torch.zeros(int(megabytes * MEGABYTE / 4))


def ask(session: Session) -> object:
    return session.request("get", what="the encoder")


@pytest.mark.usefixtures("small")
def test_what_is_still_held_counts_and_what_was_let_go_does_not(answered: Opener) -> None:
    session, _ = answered(*[floats(4)] * 5)
    for _ in range(3):
        ask(session)  # held by nobody
    held = [ask(session)]
    assert len(held) == 1
    held.append(ask(session))


@pytest.mark.usefixtures("small")
def test_more_than_may_be_held_at_a_time_is_refused_with_what_came_and_the_limit(answered: Opener) -> None:
    session, _ = answered(*[[floats(2), {"a": (floats(2),)}]] * 3)
    held = [ask(session), ask(session)]
    with pytest.raises(StudentError) as caught:
        ask(session)
    assert caught.value.kind == "unusable"
    assert str(caught.value) == (
        "the encoder sends 4 MB, and 8 MB that were sent before are still needed; "
        "all that a check may hold at a time is 10 MB"
    )
    assert "return only what the assignment asks for" in caught.value.hint
    assert session.broken  # the rest of the message lies unread on the wire
    assert len(held) == 2


@pytest.mark.usefixtures("small")
def test_all_that_a_check_receives_has_a_limit_of_its_own(answered: Opener) -> None:
    session, budget = answered(*[floats(9)] * 7)
    for _ in range(3):
        ask(session)
    budget.begin_check()
    for _ in range(3):
        ask(session)
    with pytest.raises(StudentError) as caught:
        ask(session)
    assert str(caught.value) == (
        "the encoder sends another 9 MB, after 27 MB in this check; all that a check may receive is 30 MB"
    )


@pytest.mark.usefixtures("small")
def test_the_sessions_of_a_submission_share_what_may_be_held(answered: Opener) -> None:
    first, budget = answered(floats(6))
    held = ask(first)
    box = HostileBox(replying({"result": floats(6)}))
    second = Session(box, budget)
    with pytest.raises(StudentError, match="6 MB that were sent before are still needed"):
        ask(second)
    second.close()
    box.end()
    assert held is not None


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dtype", [torch.uint8, torch.bool, torch.float16], ids=str)
def test_narrow_numbers_count_as_what_a_comparison_makes_of_them(
    answered: Opener, dtype: torch.dtype
) -> None:
    session, _ = answered(torch.zeros(3 * MEGABYTE, dtype=dtype))
    with pytest.raises(StudentError, match="sends 12 MB"):
        ask(session)


def test_one_message_holds_no_more_numbers_than_it_could_as_floats(
    answered: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "MAX_PAYLOAD", 10 * MEGABYTE)
    session, _ = answered(torch.zeros(3 * MEGABYTE, dtype=torch.bool))
    with pytest.raises(StudentError) as caught:
        ask(session)
    assert str(caught.value) == (
        "the encoder sends 3,000,000 numbers; all that one result may hold is 2,500,000"
    )


@pytest.mark.usefixtures("small")
def test_nothing_is_read_of_what_is_refused() -> None:
    box = HostileBox(
        lambda channel: channel.sendall(raw({"body": None, "tensors": [["float32", [5_000_000], False]]}))
    )
    session = Session(box, Budget(100.0, kept=HELD))
    started = time.monotonic()
    with pytest.raises(StudentError, match="sends 20 MB"):
        ask(session)  # a header alone is enough
    assert time.monotonic() - started < 5
    session.close()
    box.end()


@pytest.mark.usefixtures("small")
def test_what_only_an_old_exception_holds_is_let_go(answered: Opener) -> None:
    session, _ = answered(floats(8), floats(8))

    def failing() -> None:
        held = ask(session)
        try:
            raise ValueError(held)
        except ValueError as error:
            kept = error  # refers to this frame, which refers to it
            raise RuntimeError from kept

    with pytest.raises(RuntimeError):
        failing()
    ask(session)


def test_whoever_holds_a_view_holds_all_that_it_is_part_of(answered: Opener) -> None:
    session, budget = answered(floats(8))
    view = ask(session)[1:3].detach()  # type: ignore[index]
    assert budget._kept == 8 * MEGABYTE
    del view
    assert budget._kept == 0


def test_a_message_is_packed_into_one_piece_of_its_own_size() -> None:
    values = [torch.arange(5), torch.zeros(3, 2).T, torch.empty(0), torch.tensor(True)]
    message = wire.pack(values)
    length = wire.header_length(bytes(message[:4]))
    assert len(message) == 4 + length + 5 * 8 + 6 * 4 + 1
    back = wire.unpack(wire.parse_header(bytes(message[4 : 4 + length])), message[4 + length :])
    assert all(torch.equal(one, other) for one, other in zip(back, values, strict=True))


# -- in the box -----------------------------------------------------------------------------------------

HUNGRY = b"""
import threading, time, torch

held = []

def take(megabytes):
    held.append(torch.ones(megabytes * 250_000))
    return len(held)

def take_slowly(megabytes):
    while True:
        take(megabytes)
        time.sleep(0.02)

def take_behind(megabytes):
    threading.Thread(target=take_slowly, args=(megabytes,), daemon=True).start()

def wait(seconds):
    time.sleep(seconds)
    return "waited"
"""


@pytest.fixture
def hungry(box: Box, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[Session], list]]:
    """Two sessions of one submission, which may take 400 MB together, and their modules."""
    monkeypatch.setattr(budgets, "SESSIONS_BYTES", 400 * MEGABYTE)
    monkeypatch.setattr(budgets, "FILES_BYTES", 0)
    budget = Budget(100.0)
    sessions = [Session(box, budget) for _ in range(2)]
    modules = []
    for session in sessions:
        session.files({"part1/utils.py": HUNGRY})
        session.enter("part1")
        modules.append(session.load("utils"))
    yield sessions, modules
    for session in sessions:
        session.close()
    assert box.alive()


def test_a_session_s_memory_is_seen_from_outside(hungry: tuple[list[Session], list]) -> None:
    (first, second), (utils, _) = hungry
    before = first.memory()
    utils.take(200)
    assert 190 * MEGABYTE < first.memory() - before < 230 * MEGABYTE
    assert second.memory() < 50 * MEGABYTE
    first.close()
    assert first.memory() == 0


def test_two_sessions_may_not_take_together_what_each_might_alone(hungry: tuple[list[Session], list]) -> None:
    sessions, (one, other) = hungry
    for module in (one, other):
        module.take(150)
        assert module.wait(0.15) == "waited"
    with pytest.raises(StudentError) as caught:
        other.take_slowly(20)
    assert caught.value.kind == "died"
    assert "of memory in 2 processes; all of them together may take 400 MB" in str(caught.value)
    assert all(session.broken for session in sessions)
    with pytest.raises(StudentError, match="all of them together"):
        one.wait(0)


def test_memory_taken_behind_the_back_of_a_call_counts(hungry: tuple[list[Session], list]) -> None:
    _, (one, other) = hungry
    one.take_behind(10)
    with pytest.raises(StudentError, match="all of them together"):
        other.wait(30)


def test_a_session_that_is_dropped_is_not_kept_by_its_budget(box: Box) -> None:
    budget = Budget(100.0)
    session = Session(box, budget)
    session.close()
    gone = weakref.ref(session)
    del session
    assert gone() is None
    budget.look()
