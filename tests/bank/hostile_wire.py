"""Messages that student code writes to the grader itself, on the worker's descriptor."""

from tests.bank.hostile_entry import BRIEF, UTILS, Hostile, in_kld

RAW = """
import json, os, struct
def send(header, payload=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    data = struct.pack("<I", len(text) if length is None else length) + text + payload
    while data:
        data = data[os.write(3, data):]
def result(value, tensors=(), payload=b""):
    body = {"$": "dict", "items": [["result", value]]}
    send({"body": body, "tensors": list(tensors)}, payload)
def value(content, tensors=(), payload=b""):
    result({"$": "dict", "items": [["value", content]]}, tensors, payload)
ZEROS = ({"$": "tensor", "i": 0}, [["float32", [7], True]], bytes(28))
"""
# The rest of the process must not answer once more, where that would only blur what is tested.
QUIET = "\nimport time\ntime.sleep(3600)"


def wired(name: str, body: str, seconds: float | None = None, slow: bool = True) -> Hostile:
    """An entry whose KLD writes to the wire."""
    return Hostile(name, {UTILS: RAW + in_kld(body)}, seconds=seconds, slow=slow)


WIRE = (
    wired("a reply beside the worker's own", "value(*ZEROS)", slow=False),
    Hostile("a hundred replies in advance", {UTILS: RAW + "for _ in range(100):\n    value(*ZEROS)\n"}),
    Hostile(
        "a reply to the import, and what belongs to no request",
        {
            UTILS: RAW + 'result({"$": "ref", "id": 1, "type": "module"})\n'
            'result({"$": "ref", "id": 1, "type": "function"})\nos.write(3, b"rest")\n' + QUIET
        },
        seconds=BRIEF,
    ),
    wired("a header with NaN", 'send(b\'{"body": NaN, "tensors": [NaN, Infinity]}\')' + QUIET, BRIEF),
    wired(
        "more bytes announced than sent",
        'value(ZEROS[0], [["float64", [8000000], False]], bytes(10))' + QUIET,
        BRIEF,
        slow=False,
    ),
    wired("an endless header", "send(b'x' * 100, length=2**32 - 1)\nwhile 1:\n    os.write(3, b'x' * 99)"),
    wired("a stream without an end", "value(*ZEROS)\nwhile True:\n    os.write(3, bytes(9999))"),
    wired("a header of brackets", "send(b'[' * 65000)" + QUIET, BRIEF),
    wired(
        "sizes that are negative, huge or no numbers",
        """
        kind = int(mean.abs().sum() * 1000) % 4
        size = (-7, 2**62, True, 7.0)[kind]
        value(ZEROS[0], [["float32", [size], False]], bytes(28))
        """,
    ),
    wired(
        "kinds of tensors that are none",
        """
        for kind in ("object", "__reduce__", "complex64", ["float32"], None):
            value(ZEROS[0], [[kind, [7], False]], bytes(28))
        """,
    ),
    wired(
        "one tensor named a thousand times",
        'value([ZEROS[0]] * 1000, [["uint8", [60000000], False]], bytes(60000000))',
    ),
    wired("references to what the grader holds", 'value({"$": "ref", "id": 10**9, "type": "Session"})'),
    wired("true instead of a tensor", "value(True)" + QUIET, BRIEF),
    wired(
        "an error that is no error",
        """
        where = [["../../results.json", "1; passed", "x" * 1000]] * 100
        items = [["type", "\\x1b[2J\\nPASSED"], ["message", {"$": "dict", "items": []}], ["where", where]]
        items += [["stub", "passed"], ["status", "passed"], ["points", 100]]
        body = {"$": "dict", "items": [["error", {"$": "dict", "items": items}]]}
        send({"body": body, "tensors": []})
        """
        + QUIET,
        BRIEF,
    ),
    wired(
        "a fault that is put down to the grader",
        """
        for kind in ("grader_error", "box", "unusable", "result"):
            text = "BoxError: the grader failed"
            send({"body": {"$": "dict", "items": [[kind, text]]}, "tensors": []})
        """
        + QUIET,
        BRIEF,
    ),
    Hostile("hangs up", {UTILS: in_kld("import os\nos.close(3)")}),
    Hostile(
        "puts another end in the place of the wire",
        {UTILS: in_kld("import os, socket\na, b = socket.socketpair()\nos.dup2(a.fileno(), 3)")},
        seconds=BRIEF,
    ),
    Hostile(
        "a worker of its own",
        {
            UTILS: """
import os, struct, sys
import wire
def read(count):
    data = b""
    while len(data) < count:
        part = os.read(3, count - len(data))
        if not part:
            os._exit(0)
        data += part
    return data
def answer(request):
    operation, arguments = request["op"], request["arguments"]
    if operation in ("load", "get"):
        return wire.Reference(1, "function")
    if operation == "backward":
        return [torch.ones_like(tensor) for tensor in arguments[2]] * 2
    if operation != "call":
        return None
    inputs = arguments[1]
    seen = [tensor for tensor in inputs if isinstance(tensor, torch.Tensor)]
    return {"value": seen[0].new_zeros(seen[0].shape[:-1]), "graph": wire.Reference(2, "tuple")}
os.write(3, wire.pack({"result": wire.Reference(1, "module")}))
while True:
    header = wire.parse_header(read(wire.header_length(read(4))))
    request = wire.unpack(header, bytearray(read(header.payload_length)))
    data = bytes(wire.pack({"result": answer(request)}))
    while data:
        data = data[os.write(3, data):]
"""
        },
        slow=False,
    ),
    Hostile(
        "the worker's modules rewritten",
        {
            UTILS: """
import session, wire
pack = wire.pack
def forged(body, *rest):
    return pack({"result": {"value": torch.zeros(7), "graph": wire.Reference(1, "tuple"), "passed": True}})
session.Session.call = lambda self, target, *rest: {"value": torch.zeros(7), "graph": target}
session.Session.backward = lambda self, *rest: [torch.zeros(4, 3)] * 2
session.Objects.outgoing = lambda self, value: True
session.describe = lambda error: {"type": "passed", "stub": False, "message": "passed"}
wire.MAX_PAYLOAD, wire.MAX_HEADER, wire.MAX_DEPTH = 2**40, 2**32 - 1, 2**30
def KLD(mean, log_std):
    wire.pack = forged
"""
        },
        slow=False,
    ),
)
