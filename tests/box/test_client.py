"""The grader's end of a session against a worker that lies, stalls, floods or hangs up."""

import contextlib
import resource
import socket
import time

import pytest
import torch

from grader.box import wire
from grader.box.client import Session
from grader.box.errors import StudentError
from grader.box.remote import Call, Remote, origin
from grader.box.wire import Reference
from grader.text import one_line

from .hostile import HostileBox, answering, raw, replying, take_request

MODULE = {"result": Reference(1, "module")}
FUNCTION = {"result": Reference(2, "function")}


@pytest.fixture
def session_with():
    """Makes a session whose worker follows a script."""
    boxes = []

    def make(script):
        boxes.append(HostileBox(script))
        return Session(boxes[-1])

    yield make
    for box in boxes:
        box.end()


def fault(session, seconds=0.5, request=lambda session: session.load("utils")):
    """The error that a request ends in; it must not take much longer than its deadline."""
    started = time.monotonic()
    with session.deadline(seconds), pytest.raises(StudentError) as caught:
        request(session)
    assert time.monotonic() - started < seconds + 10
    return caught.value


def silent(channel):
    while channel.recv(65536):
        pass


def half_a_message(channel):
    take_request(channel)
    channel.sendall(wire.pack(MODULE)[:-3])
    silent(channel)


def half_a_payload(channel):
    take_request(channel)
    channel.sendall(wire.pack({"result": torch.zeros(1000)})[:-1])
    silent(channel)


def endless_stream(channel):
    take_request(channel)
    while True:
        channel.sendall(raw({"body": None, "tensors": [["uint8", [2**24], False]]}) + bytes(2**20))


def dribble(channel):
    take_request(channel)
    for byte in bytes(wire.pack(MODULE)):
        time.sleep(0.1)  # each byte alone comes well within the deadline
        channel.sendall(bytes([byte]))


def hang_up_at_once(channel):
    channel.close()


def hang_up_after_half(channel):
    take_request(channel)
    channel.sendall(wire.pack(MODULE)[:9])
    channel.close()


def never_read(channel):
    time.sleep(3)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (silent, "timeout"),
        (half_a_message, "timeout"),
        (half_a_payload, "timeout"),
        (dribble, "timeout"),
        (endless_stream, "protocol"),
        (hang_up_at_once, "died"),
        (hang_up_after_half, "died"),
        (answering(bytes(wire.pack(MODULE)) + b"and more"), "protocol"),
        (answering(bytes(2 * wire.pack(MODULE))), "protocol"),
        (answering(b"HTTP/1.1 200 OK\r\n\r\n"), "protocol"),
        (answering(bytes(4)), "protocol"),
        (answering(b"\xff" * 64), "protocol"),
        (answering(raw(b"\x80\x81\x82")), "protocol"),
        (answering(raw({"body": None, "tensors": [["uint8", [2**40], False]]})), "protocol"),
        (answering(raw({"body": None, "tensors": [["uint8", [wire.MAX_PAYLOAD // 4], False]]})), "timeout"),
        (answering(raw({"body": None, "tensors": [["uint8", [wire.MAX_PAYLOAD], False]]})), "unusable"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_broken_wire_is_the_code_s_fault_within_the_deadline(session_with, script, kind):
    session = session_with(script)
    # Only what has to run into its deadline has a short one: a busy machine takes its time.
    assert fault(session, 0.5 if kind == "timeout" else 30.0).kind == kind
    assert session.broken


def test_a_worker_that_never_reads_cannot_hold_up_the_sender(session_with):
    session = session_with(never_read)
    assert fault(session, request=lambda session: session.files({"a": bytes(2**25)})).kind == "timeout"


def test_an_announcement_alone_takes_no_memory(session_with):
    header = {"body": None, "tensors": [["float32", [wire.MAX_PAYLOAD // 4], False]]}
    session = session_with(answering(raw(header, bytes(1000))))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert fault(session).kind == "timeout"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024  # kilobytes


@pytest.mark.parametrize(
    "reply",
    [
        None,
        5,
        [],
        {},
        {"result": 1, "error": {}},
        {"success": 1},
        {1: 2},
        {"error": "text"},
        {"error": None},
        {"result": None},
        {"result": 5},
        {"result": [Reference(1, "module")]},
        {"result": torch.zeros(3)},
        {"result": {"value": Reference(1, "module")}},
    ],
    ids=repr,
)
def test_a_reply_that_is_no_module_is_refused(session_with, reply):
    session = session_with(replying(reply))
    assert fault(session).kind == "protocol"
    assert session.broken


@pytest.mark.parametrize("reply", [None, 5, [], {}, {"graph": Reference(3, "tuple")}], ids=repr)
def test_a_reply_to_a_call_without_a_value_is_refused(session_with, reply):
    session = session_with(replying(MODULE, FUNCTION, {"result": reply}))
    function = session.load("utils").KLD
    assert fault(session, request=lambda _: function(1)).kind == "protocol"


def test_a_recorded_call_without_its_graph_is_refused(session_with):
    session = session_with(replying(MODULE, FUNCTION, {"result": {"value": 1.0, "graph": 3}}))
    function = session.load("utils").KLD
    assert fault(session, request=lambda session: session.record(function)).kind == "protocol"


def test_forged_values_arrive_as_what_they_are(session_with):
    forged = (float("nan"), Reference(-(2**63), "x"), {"a": [True]})
    session = session_with(replying(MODULE, FUNCTION, {"result": {"value": forged}}))
    number, remote, rest = session.load("utils").KLD()
    assert number != number
    assert isinstance(remote, Remote)
    assert rest == {"a": [True]}


GRADIENTS = [
    None,
    torch.zeros(3),
    [],
    [torch.zeros(3)],
    [torch.zeros(3)] * 3,
    [torch.zeros(3), torch.zeros(4)],
    [torch.zeros(3), 0.0],
    [torch.zeros(3), "zero"],
    [torch.zeros(3), Reference(4, "Tensor")],
    {"a": torch.zeros(3)},
]


@pytest.mark.parametrize("reply", GRADIENTS, ids=repr)
def test_gradients_that_do_not_fit_the_inputs_are_refused(session_with, reply):
    recorded = {"result": {"value": torch.ones(()), "graph": Reference(3, "tuple")}}
    session = session_with(replying(MODULE, FUNCTION, recorded, {"result": reply}))
    inputs = [torch.zeros(3, requires_grad=True), torch.zeros(5)]
    call = session.record(session.load("utils").KLD, inputs, std=torch.zeros(3, requires_grad=True))
    assert fault(session, request=lambda _: call.gradients(torch.ones(()))).kind == "protocol"


def test_gradients_that_fit_are_handed_over(session_with):
    recorded = {"result": {"value": torch.ones(()), "graph": Reference(3, "tuple")}}
    session = session_with(replying(MODULE, FUNCTION, recorded, {"result": [None, torch.ones(3)]}))
    inputs = [torch.zeros(3, requires_grad=True), torch.zeros(5)]
    call = session.record(session.load("utils").KLD, inputs, std=torch.zeros(3, requires_grad=True))
    first, second = call.gradients(torch.ones(()))
    assert first is None
    assert second.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "reply", [[], [1], [{}, {}], [{"w": 1.0}], [{3: torch.zeros(1)}], [{"w": [torch.zeros(1)]}], {}], ids=repr
)
def test_gradients_by_parameter_are_checked(session_with, reply):
    session = session_with(replying(MODULE, {"result": reply}))
    network = session.load("utils")
    call = Call(session, None, Reference(3, "tuple"), [])
    assert fault(session, request=lambda _: call.gradients(torch.ones(()), of=network)).kind == "protocol"


# -- what the code says is shown, but never trusted ---------------------------------------------------

NASTY = "\x1b[31mred\x1b[0m\r\nline\u202eesrever\u200b\x00\ttab\x9b1m"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"type": 5, "message": None, "where": 7},
        {"type": NASTY, "message": NASTY, "where": [[NASTY, NASTY, NASTY]]},
        {"type": "E" * 9000, "message": "m" * 9000, "where": [["f" * 9000, 10**18, ""]]},
        {"where": True},
        {"where": {"a": 1}},
        {"where": [None, [1, 2], "abc", [1, 2, 3]]},
        {"where": [[None, [1.5], {}]], "stub": "yes"},
        {"type": ["x"], "message": {"a": 1}, "stub": 1},
    ],
    ids=lambda content: str(content)[:40],
)
@pytest.mark.parametrize("operation", ["load", "get", "call"])
def test_a_forged_exception_is_shown_as_one_plain_line(session_with, content, operation):
    forged = {"error": content}
    module = {"result": Reference(1, NASTY)}
    if operation == "load":
        error = fault(session_with(replying(forged)))
    elif operation == "get":
        module = session_with(replying(module, forged)).load("utils")
        error = fault(origin(module).session, request=lambda _: module.KLD)
    else:
        function = session_with(replying(module, module, forged)).load("utils").KLD
        error = fault(origin(function).session, request=lambda _: function())
    assert error.kind in ("raised", "missing")
    assert str(error).isprintable()
    assert len(str(error)) < 700


def test_a_missing_attribute_names_its_owner_in_plain_text(session_with):
    owner = {"result": Reference(1, NASTY)}
    missing = {"error": {"type": "AttributeError", "message": NASTY, "where": []}}
    module = session_with(replying(owner, missing)).load("utils")
    error = fault(origin(module).session, request=lambda _: module.KLD)
    assert error.kind == "missing"
    assert str(error).isprintable()


def test_an_unusable_value_is_not_a_broken_session(session_with):
    session = session_with(replying(MODULE, FUNCTION, {"unusable": NASTY}, {"result": {"value": 3}}))
    function = session.load("utils").KLD
    error = fault(session, request=lambda _: function())
    assert error.kind == "unusable"
    assert str(error).isprintable()
    assert function() == 3


def test_a_stub_is_told_from_a_mistake(session_with):
    stub = {"error": {"type": "NotImplementedError", "message": "Question 1.7", "where": [], "stub": True}}
    module = session_with(replying(MODULE, FUNCTION, stub)).load("utils")
    error = fault(origin(module).session, request=lambda _: module.KLD())
    assert (error.kind, "Question 1.7" in str(error)) == ("not_implemented", True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\nb\r\tc", "a b c"),
        ("\x1b[31mred\x1b]0;title\x07", "[31mred ]0;title"),
        ("\u202eright to left\u202c", "right to left"),
        ("zero\u200bwidth\ufeff", "zero width"),
        ("\ud800", ""),
        ("ünïcode ✓ 数", "ünïcode ✓ 数"),
        (b"bytes", ""),
        (None, ""),
        (5, ""),
    ],
)
def test_printable_leaves_nothing_that_a_terminal_obeys(text, shown):
    assert one_line(text) == shown


def test_printable_is_short_however_long_the_text():
    started = time.monotonic()
    shown = one_line("ab " * 10_000_000, 100)
    assert time.monotonic() - started < 1
    assert len(shown) <= 100
    assert shown.endswith("…")


# -- the life of a session ----------------------------------------------------------------------------


def test_a_broken_session_stays_broken_and_answers_at_once(session_with):
    session = session_with(silent)
    first = fault(session, 0.2)
    started = time.monotonic()
    for request in (
        lambda: session.load("utils"),
        lambda: session.enter("part1"),
        lambda: session.files({"a": b""}),
    ):
        with pytest.raises(StudentError) as caught:
            request()
        assert caught.value is first
    assert time.monotonic() - started < 0.1


def test_a_late_reply_is_not_taken_for_the_next_one(session_with):
    def late(channel: socket.socket) -> None:
        take_request(channel)
        time.sleep(0.4)
        channel.sendall(wire.pack(MODULE))
        silent(channel)

    session = session_with(late)
    assert fault(session, 0.2).kind == "timeout"
    time.sleep(0.4)
    assert fault(session).kind == "timeout"


def test_closing_tells_the_box_once(session_with):
    session = session_with(silent)
    session.close()
    session.close()
    assert session.broken
    assert session._box.closed == [1]


def test_deadlines_hold_inside_their_block_only(session_with):
    session = session_with(silent)
    before = session._seconds
    with session.deadline(5), session.deadline(1):
        assert session._seconds == 1
    assert session._seconds == before


def test_objects_of_another_session_are_refused(session_with):
    one, other = session_with(replying(MODULE, FUNCTION)), session_with(replying(MODULE))
    function, stranger = one.load("utils").KLD, other.load("utils")
    with pytest.raises(ValueError, match="another session"):
        function({"a": [(stranger,)]})


def test_pytest_and_copy_may_look_at_a_remote_without_a_request(session_with):
    module = session_with(replying(MODULE)).load("utils")
    assert "in the box" in repr(module)
    assert not hasattr(module, "__len__")
    assert not hasattr(module, "__deepcopy__")


def test_descriptors_above_1023_are_no_obstacle(session_with):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("this machine allows too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, hard))
    try:
        with contextlib.ExitStack() as fillers:
            for _ in range(1100):
                fillers.enter_context(open("/dev/null"))
            session = session_with(replying(MODULE))
            assert session._channel.fileno() > 1023
            assert isinstance(session.load("utils"), Remote)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
