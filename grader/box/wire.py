"""The wire format between the grader and the box; used, unchanged, on both sides.

A message is a 4-byte little-endian header length, a JSON header of at most 64 KB, and the raw
little-endian bytes of the tensors that the header lists. A value travels as JSON with tagged
objects where JSON has no word for it. Nothing is ever unpickled or evaluated, and every size is
checked before memory is taken: whoever reads must assume that the other side is hostile.
"""

from __future__ import annotations

import json
import math
import struct
import warnings
from dataclasses import dataclass
from typing import Any

import torch

MAX_HEADER = 64 * 1024
MAX_PAYLOAD = 64 * 1024 * 1024
MAX_TENSORS = 1024
MAX_DEPTH = 12
MAX_DIMENSIONS = 8
MAX_TYPE_NAME = 200
LENGTH = struct.Struct("<I")

DTYPES: dict[str, torch.dtype] = {
    "float64": torch.float64,
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "int64": torch.int64,
    "int32": torch.int32,
    "int16": torch.int16,
    "int8": torch.int8,
    "uint8": torch.uint8,
    "bool": torch.bool,
}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class WireError(Exception):
    """A message breaks the format, or is too large."""


@dataclass(frozen=True)
class Reference:
    """An object that stays in the box: a function, a module, a network, an optimizer."""

    id: int
    type: str


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair: whoever writes it to a file later would fail
        raise WireError("a text is not Unicode") from None
    return text


def encode(value: Any, payload: list[torch.Tensor], depth: int = 0) -> Any:
    """Turn a value into JSON, moving its tensors (and floats) to `payload`.

    Floats travel as tensors too: JSON has no NaN or infinity, and a student's loss may be either.

    Raises:
        WireError: the value has a part that the format has no word for.
    """
    if depth > MAX_DEPTH:
        raise WireError(f"a value is nested more than {MAX_DEPTH} levels deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise WireError("an integer does not fit into 64 bits")
        return value
    if isinstance(value, float):
        payload.append(torch.tensor(value, dtype=torch.float64))
        return {"$": "float", "i": len(payload) - 1}
    if isinstance(value, torch.Tensor):
        payload.append(value)
        return {"$": "tensor", "i": len(payload) - 1}
    if isinstance(value, Reference):
        return {
            "$": "ref",
            "id": value.id,
            "type": value.type[:MAX_TYPE_NAME].encode(errors="replace").decode(),
        }
    if isinstance(value, list):
        return [encode(part, payload, depth + 1) for part in value]
    if isinstance(value, tuple):
        return {"$": "tuple", "items": [encode(part, payload, depth + 1) for part in value]}
    if isinstance(value, dict):
        items = []
        for key, part in value.items():
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise WireError(f"a dict has a key of type {type(key).__name__}")
            items.append([encode(key, payload), encode(part, payload, depth + 1)])
        return {"$": "dict", "items": items}
    raise WireError(f"a {type(value).__name__} cannot be sent")


def decode(tree: Any, payload: list[torch.Tensor | None], depth: int = 0) -> Any:
    """The inverse of `encode`; takes each tensor out of `payload` as it comes.

    A tensor may be named once: a header that named one of 60 MB a thousand times would become 60 GB as soon
    as somebody computed with the value.

    Raises:
        WireError: the tree is not one that `encode` makes.
    """
    if depth > MAX_DEPTH:
        raise WireError(f"a value is nested more than {MAX_DEPTH} levels deep")
    if tree is None or isinstance(tree, bool):
        return tree
    if isinstance(tree, str):
        return _text(tree)
    if isinstance(tree, int):
        if not -(2**63) <= tree < 2**63:
            raise WireError("an integer does not fit into 64 bits")
        return tree
    if isinstance(tree, list):
        return [decode(part, payload, depth + 1) for part in tree]
    if not isinstance(tree, dict):
        raise WireError(f"a header holds a bare {type(tree).__name__}")
    tag = tree.get("$")
    if tag in ("float", "tensor"):
        index = tree.get("i")
        if type(index) is not int or not 0 <= index < len(payload):
            raise WireError("a header names a tensor that was not sent")
        tensor, payload[index] = payload[index], None
        if tensor is None:
            raise WireError("a header names a tensor twice")
        if tag == "tensor":
            return tensor
        if tensor.shape != () or tensor.dtype != torch.float64:
            raise WireError("a float is not one double")
        return tensor.item()
    if tag == "ref":
        number, name = decode(tree.get("id"), [], MAX_DEPTH), decode(tree.get("type"), [], MAX_DEPTH)
        if type(number) is not int or type(name) is not str or len(name) > MAX_TYPE_NAME:
            raise WireError("a reference is malformed")
        return Reference(number, name)
    items = tree.get("items")
    if not isinstance(items, list):
        raise WireError("a header holds an object without items")
    if tag == "tuple":
        return tuple(decode(part, payload, depth + 1) for part in items)
    if tag == "dict":
        result: dict[Any, Any] = {}
        for pair in items:
            if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) not in (str, int):
                raise WireError("a dict entry is malformed")
            result[decode(pair[0], payload)] = decode(pair[1], payload, depth + 1)
        return result
    raise WireError("a header holds an object of unknown kind")


def pack(body: Any, max_payload: int = MAX_PAYLOAD) -> bytearray:
    """Write one message.

    Raises:
        WireError: the value cannot be sent, or the message would be too large.
    """
    tensors: list[torch.Tensor] = []
    tree = encode(body, tensors)
    if len(tensors) > MAX_TENSORS:
        raise WireError(f"a message holds more than {MAX_TENSORS} tensors")
    specs, pieces, total = [], [], 0
    for tensor in tensors:
        try:
            # A tensor subclass may answer such questions as it likes; here it is not asked.
            with torch._C.DisableTorchFunctionSubclass():
                plain = torch.Tensor.as_subclass(tensor, torch.Tensor)
                requires_grad = plain.requires_grad
                plain = plain.detach().resolve_conj().resolve_neg()
        except RuntimeError as error:  # a sparse tensor, for one
            raise WireError(f"a tensor cannot be sent: {error}") from error
        if plain.dtype not in DTYPE_NAMES:
            raise WireError(f"a tensor has dtype {plain.dtype}, which is not accepted")
        if plain.dim() > MAX_DIMENSIONS:
            raise WireError(f"a tensor has more than {MAX_DIMENSIONS} dimensions")
        total += plain.numel() * plain.element_size()
        if total > max_payload:
            raise WireError(f"a message is larger than {max_payload // 2**20} MB")
        try:
            flat = plain.cpu().contiguous().reshape(-1).view(torch.uint8)
        except RuntimeError as error:  # a meta tensor, for one
            raise WireError(f"a tensor cannot be sent: {error}") from error
        specs.append([DTYPE_NAMES[plain.dtype], list(plain.shape), requires_grad])
        pieces.append(flat)
    try:
        header = json.dumps({"body": tree, "tensors": specs}, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise WireError(f"a header cannot be written: {error}") from error
    if len(header) > MAX_HEADER:
        raise WireError(f"a header is larger than {MAX_HEADER // 1024} KB")
    message = bytearray(LENGTH.size + len(header) + total)  # once, and nothing beside it: it may be large
    message[: LENGTH.size + len(header)] = LENGTH.pack(len(header)) + header
    done = LENGTH.size + len(header)
    for flat in pieces:
        message[done : done + flat.numel()] = flat.numpy().data
        done += flat.numel()
    return message


def header_length(prefix: bytes) -> int:
    """Read the length prefix.

    Raises:
        WireError: the header would be empty or too large.
    """
    (length,) = LENGTH.unpack(prefix)
    if not 0 < length <= MAX_HEADER:
        raise WireError(f"a header of {length} bytes was announced; at most {MAX_HEADER} are accepted")
    return int(length)


def _refuse_constant(name: str) -> None:
    raise WireError(f"a header holds {name}")


def _check_spec(spec: Any) -> tuple[torch.dtype, tuple[int, ...], bool]:
    if not isinstance(spec, list) or len(spec) != 3:
        raise WireError("a tensor's description is malformed")
    name, shape, requires_grad = spec
    if not isinstance(name, str) or name not in DTYPES:
        raise WireError("a tensor has a dtype that is not accepted")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise WireError("a tensor's shape is malformed")
    if any(type(size) is not int or not 0 <= size <= MAX_PAYLOAD for size in shape):
        raise WireError("a tensor's shape is malformed")
    if math.prod(size for size in shape if size) > MAX_PAYLOAD:  # an empty tensor has strides, too
        raise WireError("a tensor's shape is malformed")
    if not isinstance(requires_grad, bool):
        raise WireError("a tensor's description is malformed")
    return DTYPES[name], tuple(shape), requires_grad


@dataclass(frozen=True)
class Header:
    """A checked header: what the payload holds and how long it is."""

    tree: Any
    specs: tuple[tuple[torch.dtype, tuple[int, ...], bool], ...]
    payload_length: int


def parse_header(header: bytes, max_payload: int = MAX_PAYLOAD) -> Header:
    """Check a header before any of its payload is read.

    Raises:
        WireError: it is not one that `pack` writes, or announces too much.
    """
    try:
        fields = json.loads(bytes(header).decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise WireError("a header is not JSON") from error
    if not isinstance(fields, dict) or set(fields) != {"body", "tensors"}:
        raise WireError("a header lacks its fields")
    if not isinstance(fields["tensors"], list) or len(fields["tensors"]) > MAX_TENSORS:
        raise WireError("a header's list of tensors is malformed")
    specs = tuple(_check_spec(spec) for spec in fields["tensors"])
    total = sum(math.prod(shape) * dtype.itemsize for dtype, shape, _ in specs)
    if total > max_payload:
        raise WireError(f"{total} bytes of tensors were announced; at most {max_payload} are accepted")
    return Header(fields["body"], specs, total)


def unpack(header: Header, payload: bytearray, gradients: bool = False) -> Any:
    """Read the value of a message whose header was checked and whose payload is complete.

    With `gradients` (in the box), tensors that required gradients when they were sent do so again.

    Raises:
        WireError: the payload has another length than announced, or the value is malformed.
    """
    if len(payload) != header.payload_length:
        raise WireError(f"{header.payload_length} bytes of tensors were announced, {len(payload)} sent")
    tensors: list[torch.Tensor | None] = []
    offset = 0
    for dtype, shape, requires_grad in header.specs:
        count = math.prod(shape)
        if count == 0:
            tensor = torch.empty(shape, dtype=dtype)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                flat = torch.frombuffer(
                    payload, dtype=torch.uint8, count=count * dtype.itemsize, offset=offset
                )
            if dtype is torch.bool:
                tensor = flat.ne(0).reshape(shape)  # any other byte would be undefined behaviour as a bool
            else:
                tensor = flat.clone().view(dtype).reshape(shape)
        offset += count * dtype.itemsize
        if gradients and requires_grad and dtype.is_floating_point:
            tensor.requires_grad_()
        tensors.append(tensor)
    return decode(header.tree, tensors)
