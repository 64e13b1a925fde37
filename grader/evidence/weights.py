"""Weights out of a safetensors file that nobody vouches for.

The format is eight bytes of length, a JSON header with a name, a type, a shape and a place for each tensor,
and the numbers. All of the header is checked before a tensor is made of it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch

LENGTH = 8
MOST_HEADER = 200_000  # bytes; 40 tensors of the recommended networks take 3,500
MOST_TENSORS = 400
MOST_NUMBERS = 2_000_000  # in all; the recommended networks have 270,000
MOST_DIMENSIONS = 8
NETWORKS = ("encoder", "decoder")
METADATA = "__metadata__"
_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
}
_NAME = re.compile(r"[A-Za-z0-9_]{1,60}(\.[A-Za-z0-9_]{1,60}){1,12}")
PRINT_NUMBERS = 64

Weights = Mapping[str, dict[str, torch.Tensor]]


class Refused(Exception):
    """A file of weights cannot be used; the message says why, in a few words."""


def read_weights(content: bytes) -> Weights:
    """The weights of encoder and decoder.

    Args:
        content: a safetensors file of at most `MAX_EVIDENCE_BYTES`.

    Returns:
        For `encoder` and `decoder` the tensors by their name within the network, floats as float32.

    Raises:
        Refused: the file is not well formed, is too large in any way, or holds a number that is none.
    """
    length = int.from_bytes(content[:LENGTH], "little")
    if len(content) < LENGTH or not 2 <= length <= min(MOST_HEADER, len(content) - LENGTH):
        raise Refused("its header is cut off, or longer than any")
    entries = _entries(content[LENGTH : LENGTH + length])
    numbers = bytearray(content[LENGTH + length :])
    _check_places(entries, len(numbers))
    tensors = {}
    for name, (dtype, shape, begin, _) in entries.items():
        count = math.prod(shape)
        flat = torch.frombuffer(numbers, dtype=torch.uint8, count=count * dtype.itemsize, offset=begin)
        tensors[name] = flat.clone().view(dtype).reshape(shape)
    return checked(tensors)


def checked(tensors: Mapping[str, torch.Tensor]) -> Weights:
    """Tensors as weights of encoder and decoder, floats as float32.

    Args:
        tensors: by name, `encoder.*` and `decoder.*`.

    Raises:
        Refused: there are others among them, too many or too large ones, or numbers that are none.
    """
    found: dict[str, dict[str, torch.Tensor]] = {name: {} for name in NETWORKS}
    if len(tensors) > MOST_TENSORS or sum(one.numel() for one in tensors.values()) > MOST_NUMBERS:
        raise Refused(f"it holds more than {MOST_TENSORS} tensors or {MOST_NUMBERS:,} numbers")
    for name, tensor in tensors.items():
        network, _, inner = name.partition(".")
        if network not in found or not _NAME.fullmatch(name):
            raise Refused("it holds more than encoder.* and decoder.*")
        if tensor.dtype not in _TYPES.values() or not tensor.numel():
            raise Refused("a tensor in it is empty, or of a type that no weights have")
        if tensor.dtype.is_floating_point:
            tensor = tensor.float()
            if not bool(tensor.isfinite().all()):
                raise Refused("it holds numbers that are not finite")
        found[network][inner] = tensor
    if not all(found.values()):
        raise Refused("it holds no weights of encoder or decoder")
    return found


def print_of(weights: Weights) -> tuple[float, ...]:
    """Some numbers that are nearly the same for nearly the same weights, and for no others.

    Sums of every 64th of all weights, in the order of their names, with signs drawn by chance, divided by
    their size: the count sketch of Charikar, Chen and Farach-Colton (2002), which keeps distances.
    """
    parts = [weights[network][name] for network in NETWORKS for name in sorted(weights[network])]
    flat = torch.cat([part.reshape(-1) for part in parts if part.is_floating_point()])
    names = "".join(f"{part.shape}" for part in parts)
    seed = int.from_bytes(hashlib.sha256(names.encode()).digest()[:7], "little")
    signs = torch.randint(2, (len(flat),), generator=torch.Generator().manual_seed(seed), dtype=torch.int8)
    signed = (2 * signs - 1) * (flat / flat.norm().clamp(min=1e-12))
    padded = torch.nn.functional.pad(signed, (0, -len(flat) % PRINT_NUMBERS)).view(-1, PRINT_NUMBERS)
    return tuple(round(float(one), 5) for one in padded.sum(0) * PRINT_NUMBERS**0.5)


def _entries(header: bytes) -> dict[str, tuple[torch.dtype, tuple[int, ...], int, int]]:
    try:
        table = json.loads(header.decode("utf-8"), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise Refused("its header is not the JSON of a safetensors file") from error
    if not isinstance(table, dict):
        raise Refused("its header is not the JSON of a safetensors file")
    table.pop(METADATA, None)
    if not 0 < len(table) <= MOST_TENSORS:
        raise Refused(f"it holds no tensors, or more than {MOST_TENSORS}")
    entries = {}
    total = 0
    for name, entry in table.items():
        if not _NAME.fullmatch(name):
            raise Refused("a tensor in it has a name that no network gives")
        entries[name] = _entry(entry)
        total += math.prod(entries[name][1])
        if total > MOST_NUMBERS:
            raise Refused(f"it holds more than {MOST_NUMBERS:,} numbers")
    return entries


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise Refused("its header names a tensor twice")
    return table


def _entry(entry: Any) -> tuple[torch.dtype, tuple[int, ...], int, int]:
    malformed = Refused("its header describes a tensor that cannot be")
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise malformed
    kind, shape, place = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in _TYPES:
        raise Refused("a tensor in it is of a type that no weights have")
    for numbers, most in ((shape, MOST_DIMENSIONS), (place, 2)):
        if not isinstance(numbers, list) or len(numbers) > most:
            raise malformed
        if any(type(one) is not int or not 0 <= one < 2**31 for one in numbers):
            raise malformed
    if len(place) != 2 or math.prod(shape) * _TYPES[kind].itemsize != place[1] - place[0]:
        raise malformed
    if not math.prod(shape):
        raise Refused("a tensor in it is empty")
    return _TYPES[kind], tuple(shape), place[0], place[1]


def _check_places(entries: Mapping[str, tuple[torch.dtype, tuple[int, ...], int, int]], size: int) -> None:
    """Whether the tensors lie one behind the other and fill the file.

    Raises:
        Refused: they do not.
    """
    places = sorted((begin, end) for _, _, begin, end in entries.values())
    if places[0][0] != 0 or places[-1][1] != size or any(a[1] != b[0] for a, b in pairwise(places)):
        raise Refused("its tensors overlap, leave gaps or lie beyond its end")
