"""The wire format: what goes in comes out, and a hostile message is never more than a WireError."""

import json
import random
import resource
import time
from enum import IntEnum

import pytest
import torch

from grader.box import wire
from grader.box.wire import Reference, WireError


def sent(value, **options):
    """The value after a trip over the wire."""
    message = wire.pack(value)
    length = wire.header_length(bytes(message[:4]))
    header = wire.parse_header(bytes(message[4 : 4 + length]))
    return wire.unpack(header, message[4 + length :], **options)


def read(header: object, payload: bytes = b""):
    """What the reader makes of a hand-made message."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    checked = wire.parse_header(raw)
    return wire.unpack(checked, bytearray(payload))


def tensor_message(*spec, body=None):
    """A header that announces one tensor."""
    return {"body": body or {"$": "tensor", "i": 0}, "tensors": [list(spec)]}


# -- round trips ------------------------------------------------------------------------------------

VALUES = [
    None,
    True,
    False,
    0,
    -1,
    2**63 - 1,
    -(2**63),
    "",
    "ünï\x00 code\n",
    0.1,
    float("inf"),
    float("-inf"),
    5e-324,
    [],
    (),
    {},
    [1, [2.5, [None]]],
    (1, ("two", 3.0)),
    {"loss": 1.5, 3: [True], "": {}},
    {"$": "tensor", "i": 0},  # a dict that looks like a tag
    Reference(7, "Linear"),
    [Reference(1, "")],
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was(value):
    result = sent(value)
    assert result == value
    assert type(result) is type(value)


def test_a_bool_stays_a_bool_and_an_int_an_int():
    assert [type(part) for part in sent([True, 1, 1.0])] == [bool, int, float]


def test_not_a_number_and_negative_zero_survive():
    nan, zero = sent((float("nan"), -0.0))
    assert nan != nan
    assert str(zero) == "-0.0"


@pytest.mark.parametrize("dtype", wire.DTYPES.values(), ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2), (2, 3), (1,) * wire.MAX_DIMENSIONS])
def test_a_tensor_of_every_kind_comes_back_bit_by_bit(dtype, shape):
    tensor = (torch.arange(torch.Size(shape).numel()) % 3 - 1).reshape(shape).to(dtype)
    result = sent(tensor)
    assert result.dtype == dtype
    assert result.shape == tensor.shape
    assert torch.equal(result, tensor)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_special_floats_in_tensors_survive(dtype):
    tensor = torch.tensor(
        [float("nan"), float("inf"), -float("inf"), -0.0, torch.finfo(dtype).tiny], dtype=dtype
    )
    result = sent(tensor)
    assert torch.equal(result.view(torch.uint8), tensor.view(torch.uint8))


def test_views_are_sent_as_what_they_show():
    base = torch.arange(12.0).reshape(3, 4)
    for view in (base.T, base[:, ::2], base[1], base[:1].expand(5, 4), base[1:, 1:], base.flip(0)):
        assert torch.equal(sent(view), view)


def test_results_do_not_share_memory():
    first, second = sent([torch.zeros(2), torch.zeros(2)])
    first += 1
    assert second.tolist() == [0, 0]


def test_only_the_box_takes_over_that_gradients_are_wanted():
    tensor = torch.ones(2, requires_grad=True)
    assert not sent(tensor).requires_grad
    assert sent(tensor, gradients=True).requires_grad
    assert not sent(torch.ones(2), gradients=True).requires_grad


# -- what the sender refuses ------------------------------------------------------------------------


def nested(depth):
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        2**63,
        {1.5: 0},
        {True: 0},
        {None: 0},
        {2**63: 0},
        object(),
        {1, 2},
        b"bytes",
        1j,
        nested(wire.MAX_DEPTH + 1),
        torch.zeros(2, dtype=torch.complex64),
        torch.zeros((1,) * (wire.MAX_DIMENSIONS + 1)),
        torch.zeros(1).expand(2**40),
        torch.zeros(2, device="meta"),
        torch.eye(2).to_sparse(),
        [torch.zeros(())] * (wire.MAX_TENSORS + 1),
        "x" * wire.MAX_HEADER,
    ],
    ids=lambda value: f"{type(value).__name__}-{str(value)[:20]}",
)
def test_what_the_format_has_no_word_for_is_refused(value):
    with pytest.raises(WireError):
        wire.pack(value)


def test_a_value_that_holds_itself_is_refused():
    value: list = []
    value.append(value)
    with pytest.raises(WireError, match="nested"):
        wire.pack(value)


def test_numbers_of_other_types_are_sent_as_plain_ones():
    class Level(IntEnum):
        HIGH = 3

    assert type(sent(Level.HIGH)) is int


def test_a_tensor_that_lies_about_itself_is_not_asked():
    class Liar(torch.Tensor):
        shape = (1000, 1000)
        dtype = torch.int8
        requires_grad = property(lambda self: 1 / 0)

        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            raise RuntimeError("no")

        def numel(self):
            return 0

        def detach(self):
            return "not a tensor"

    result = sent(torch.arange(3.0).as_subclass(Liar))
    assert type(result) is torch.Tensor
    assert result.tolist() == [0, 1, 2]


# -- hostile messages -------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, wire.MAX_HEADER + 1, 2**31, 2**32 - 1])
def test_a_header_of_no_or_too_many_bytes_is_refused(length):
    with pytest.raises(WireError, match="announced"):
        wire.header_length(wire.LENGTH.pack(length))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00",
        b"\xff\xfe{}",
        b"not json",
        b'{"body": null, "tensors": []',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"body": ' + b"[" * 20_000 + b"]" * 20_000 + b', "tensors": []}',
        b'{"body": NaN, "tensors": []}',
        b'{"body": Infinity, "tensors": []}',
        b'{"body": -Infinity, "tensors": []}',
        b'{"body": 1e999, "tensors": []}',
        b'{"body": 1.5, "tensors": []}',
        b'{"body": ' + b"9" * 60_000 + b', "tensors": []}',
        b'{"body": 9223372036854775808, "tensors": []}',
        b'{"body": -9223372036854775809, "tensors": []}',
        b'{"body": "\\ud800", "tensors": []}',
        b"[]",
        b"null",
        b"{}",
        b'{"body": null}',
        b'{"tensors": []}',
        b'{"body": null, "tensors": [], "more": 1}',
        b'{"body": null, "tensors": {}}',
        b'{"body": null, "tensors": 5}',
        b'{"body": null, "tensors": [' + b"[]," * 1024 + b"[]]}",
    ],
    ids=lambda raw: raw[:40].decode(errors="replace"),
)
def test_a_header_that_pack_would_not_write_is_refused(raw):
    with pytest.raises(WireError):
        read(raw)


@pytest.mark.parametrize(
    "spec",
    [
        ["float32"],
        ["float32", [1], False, 0],
        ["complex64", [1], False],
        ["__class__", [1], False],
        [["float32"], [1], False],
        [None, [1], False],
        ["float32", 1, False],
        ["float32", [-1], False],
        ["float32", [True], False],
        ["float32", [1.0], False],
        ["float32", ["1"], False],
        ["float32", [2**63], False],
        ["float32", [2**200], False],
        ["float32", [1e3], False],
        ["float32", [2**26, 2**26, 2**26], False],
        ["float32", [2**16, 2**16, 2**16, 2**16], False],  # the product is 0 in 64 bits
        ["float32", [2**25], False],
        ["float32", [0, 2**26, 2**26, 2**26], False],  # empty, but its strides overflow
        ["float32", [1] * 9, False],
        ["float32", [1], None],
        ["float32", [1], 1],
        "float32",
        {},
        None,
    ],
    ids=repr,
)
def test_a_tensor_described_wrongly_is_refused(spec):
    with pytest.raises(WireError):
        read({"body": None, "tensors": [spec]}, bytes(4))


def test_many_tensors_cannot_add_up_to_more_than_the_cap():
    spec = ["uint8", [wire.MAX_PAYLOAD // 2 + 1], False]
    with pytest.raises(WireError, match="announced"):
        read({"body": None, "tensors": [spec, spec]})


@pytest.mark.parametrize("count", [0, 1, 7, 9, 1000])
def test_bytes_that_do_not_match_the_announcement_are_refused(count):
    with pytest.raises(WireError, match="8 bytes"):
        read(tensor_message("float32", [2], False), bytes(count))


def test_any_byte_of_a_bool_other_than_zero_is_true():
    values = read(tensor_message("bool", [4], False), b"\x00\x01\x02\xff")
    assert values.tolist() == [False, True, True, True]
    assert values.view(torch.uint8).tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(
    "body",
    [
        {"$": "tensor"},
        {"$": "tensor", "i": 1},
        {"$": "tensor", "i": -1},
        {"$": "tensor", "i": True},
        {"$": "tensor", "i": "0"},
        {"$": "tensor", "i": 0.0},
        {"$": "float", "i": 0},  # a float32, not one double
        {"$": "ref", "id": "1", "type": "a"},
        {"$": "ref", "id": True, "type": "a"},
        {"$": "ref", "id": 2**64, "type": "a"},
        {"$": "ref", "id": 1},
        {"$": "ref", "id": 1, "type": ["a"]},
        {"$": "ref", "id": 1, "type": "x" * 201},
        {"$": "ref", "id": 1, "type": "\ud800"},
        {"$": "tuple"},
        {"$": "tuple", "items": {}},
        {"$": "dict", "items": "ab"},
        {"$": "dict", "items": [["a"]]},
        {"$": "dict", "items": [["a", 1, 2]]},
        {"$": "dict", "items": ["ab"]},
        {"$": "dict", "items": [[None, 1]]},
        {"$": "dict", "items": [[True, 1]]},
        {"$": "dict", "items": [[1.5, 1]]},
        {"$": "dict", "items": [[["a"], 1]]},
        {"$": "dict", "items": [[{"$": "tuple", "items": []}, 1]]},
        {"$": "dict", "items": [[2**64, 1]]},
        {"$": "dict", "items": [["\ud800", 1]]},
        {"$": "pickle", "items": []},
        {"$": None, "items": []},
        {"$": ["tensor"], "items": []},
        {"$": {}, "items": []},
        {"items": []},
        {"a": 1},
        nested(wire.MAX_DEPTH + 1),
    ],
    ids=lambda body: str(body)[:50],
)
def test_a_body_that_encode_would_not_make_is_refused(body):
    with pytest.raises(WireError):
        read(tensor_message("float32", [1], False, body=body), bytes(4))


def test_a_message_may_skip_a_tensor_but_not_name_one_twice():
    # Named a thousand times, one tensor of 60 MB would become 60 GB as soon as somebody stacks the list.
    header = {"body": [{"$": "tensor", "i": 1}], "tensors": [["uint8", [1], False], ["uint8", [1], False]]}
    assert [tensor.item() for tensor in read(header, b"\x05\x06")] == [6]
    header["body"] *= 2
    with pytest.raises(wire.WireError, match="twice"):
        read(header, b"\x05\x06")


# -- mutations --------------------------------------------------------------------------------------

PIECES = [
    b"NaN",
    b"1e999",
    b"-1",
    b"[[[[",
    b"]]",
    b'"$"',
    b'"i"',
    b"{}",
    b"null",
    b"true",
    b"9" * 30,
    b"\x00",
    b'"',
]


def mutated(message: bytearray, source: random.Random) -> bytearray:
    """The message with a few bytes changed, cut out, repeated or replaced."""
    for _ in range(source.randint(1, 4)):
        start = source.randrange(len(message) + 1)
        stop = min(len(message), start + source.choice((0, 1, 1, 2, 8)))
        piece = source.choice(
            [*PIECES, source.randbytes(source.randint(1, 4)), bytes(message[start : start + 9])]
        )
        message[start:stop] = piece if source.random() < 0.8 else b""
    return message


def test_mutated_messages_raise_wire_errors_and_nothing_else():
    source = random.Random(20)
    values = [
        {"value": [torch.arange(6.0).reshape(2, 3), 0.5, (1, "a")], 3: Reference(1, "Net")},
        [torch.zeros(0, 4), torch.ones((), dtype=torch.bfloat16), torch.tensor([True, False])],
        {
            "error": {
                "type": "ValueError",
                "message": "x",
                "where": [["part1/utils.py", 3, "f"]],
                "stub": False,
            }
        },
    ]
    messages = [wire.pack(value) for value in values]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = 0
    slowest = 0.0
    for _ in range(4000):
        message = mutated(bytearray(source.choice(messages)), source)
        started = time.thread_time()
        try:
            length = wire.header_length(bytes(message[:4]))
            header = wire.parse_header(bytes(message[4 : 4 + length]))
            wire.unpack(header, message[4 + length :])
        except WireError:
            refused += 1
        except Exception as error:
            pytest.fail(f"{error!r} for {bytes(message)!r}")
        slowest = max(slowest, time.thread_time() - started)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert refused > 2000
    assert slowest < 0.5
    assert grown < 64 * 1024  # kilobytes
