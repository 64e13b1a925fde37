"""Files of weights that nobody vouches for: a clear word, little time, and never a wrong tensor."""

from __future__ import annotations

import json
import time

import pytest
import torch
from safetensors.torch import save

from grader.evidence.weights import MOST_HEADER, MOST_NUMBERS, Refused, print_of, read_weights

GOOD = {
    "encoder.net.0.weight": torch.arange(12.0).reshape(3, 4),
    "encoder.norm.num_batches_tracked": torch.tensor(7),
    "decoder.net.0.bias": torch.tensor([0.5, -1.0]),
}


def file_of(header: object, numbers: bytes = bytes(8), length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + numbers


def entry(dtype: str = "F32", shape: object = (1,), place: object = (0, 4)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": place}


def two(first: dict[str, object], second: dict[str, object] | None = None) -> dict[str, object]:
    return {"encoder.w": first, "decoder.w": second or entry(place=(4, 8))}


def test_what_the_library_writes_is_read_as_it_is():
    found = read_weights(save(GOOD, metadata={"format": "pt"}))
    assert found.keys() == {"encoder", "decoder"}
    assert torch.equal(found["encoder"]["net.0.weight"], GOOD["encoder.net.0.weight"])
    assert found["encoder"]["norm.num_batches_tracked"].item() == 7
    assert found["decoder"]["net.0.bias"].tolist() == [0.5, -1.0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(dtype):
    found = read_weights(save({name: value.to(dtype) for name, value in GOOD.items()}))
    assert found["decoder"]["net.0.bias"].dtype == torch.float32
    assert found["decoder"]["net.0.bias"].tolist() == [0.5, -1.0]


HOSTILE = {
    "empty": b"",
    "short": b"\x01\x02",
    "no header": (0).to_bytes(8, "little"),
    "length of all memory": file_of({}, length=2**63 - 1),
    "length beyond the end": file_of(two(entry()), length=10_000),
    "not JSON": file_of(b"{" * 50),
    "nested": file_of(b"[" * 100_000),
    "not UTF-8": file_of(b'{"\xff": 1}'),
    "a list": file_of([1, 2]),
    "no tensors": file_of({}),
    "only metadata": file_of({"__metadata__": {"format": "pt"}}),
    "a pickle": b"\x80\x04" + bytes(100),
    "a zip, as torch saves": b"PK\x03\x04" + bytes(100),
    "a name twice": file_of(b'{"encoder.w": %b, "encoder.w": %b}' % ((json.dumps(entry()).encode(),) * 2)),
    "a name out of the folder": file_of(
        {"encoder.../../etc/passwd": entry(), "decoder.w": entry(place=(4, 8))}
    ),
    "a name with a line break": file_of({"encoder.w\n": entry(), "decoder.w": entry(place=(4, 8))}),
    "another network": file_of({**two(entry()), "discriminator.w": entry(place=(8, 12))}, bytes(12)),
    "no decoder": file_of({"encoder.w": entry()}, bytes(4)),
    "no such type": file_of(two(entry(dtype="F8_E4M3"))),
    "a type that is none": file_of(two({**entry(), "dtype": ["F32"]})),
    "a negative size": file_of(two(entry(shape=(-1,)))),
    "a broken size": file_of(two(entry(shape=(1.0,)))),
    "a size that is true": file_of(two(entry(shape=(True,)))),
    "a size beyond memory": file_of(two(entry(shape=(2**40,), place=(0, 2**42)))),
    "sizes that multiply": file_of(two(entry(shape=(2**20, 2**20, 2**20), place=(0, 4)))),
    "many dimensions": file_of(two(entry(shape=(1,) * 9))),
    "no numbers in it": file_of(two(entry(shape=(0,), place=(0, 0)))),
    "places that overlap": file_of(two(entry(), entry(place=(0, 4)))),
    "places that leave a gap": file_of(two(entry(), entry(place=(8, 12))), bytes(12)),
    "places beyond the end": file_of(two(entry(), entry(place=(4, 8))), bytes(6)),
    "numbers that nobody names": file_of(two(entry()), bytes(100)),
    "a place from its end to its start": file_of(two(entry(place=(4, 0)))),
    "something else in an entry": file_of(two({**entry(), "more": 1})),
    "not a number": save({**GOOD, "decoder.net.0.bias": torch.tensor([float("nan")])}),
    "infinite": save({**GOOD, "decoder.net.0.bias": torch.tensor([float("inf")])}),
    "finite only in float64": save({**GOOD, "decoder.b": torch.tensor([1e300], dtype=torch.float64)}),
    "too many tensors": save({**GOOD, **{f"encoder.w{index}": torch.zeros(1) for index in range(1000)}}),
    "too many numbers": save({**GOOD, "encoder.large": torch.zeros(MOST_NUMBERS // 2, 3, dtype=torch.int64)}),
    "too long a header": file_of(b'{"encoder.w": ' + b" " * MOST_HEADER + b"1}"),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused_at_once(content):
    started = time.process_time()
    with pytest.raises(Refused) as refused:
        read_weights(content)
    assert time.process_time() - started < 0.5
    assert 10 < len(str(refused.value)) < 100


def test_nearly_the_same_weights_have_nearly_the_same_print():
    generator = torch.Generator().manual_seed(1)
    one = {"encoder": {"w": torch.randn(50, 40, generator=generator)}, "decoder": {"w": torch.ones(3, 3)}}
    near = {"encoder": {"w": one["encoder"]["w"] + 1e-4}, "decoder": one["decoder"]}
    other = {"encoder": {"w": torch.randn(50, 40, generator=generator)}, "decoder": one["decoder"]}

    def apart(first, second) -> float:
        return float((torch.tensor(print_of(first)) - torch.tensor(print_of(second))).square().mean().sqrt())

    assert apart(one, near) < 0.003
    assert apart(one, other) > 0.8
