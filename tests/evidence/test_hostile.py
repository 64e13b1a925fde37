"""Networks that cheat, and networks that break: never supported, and never more than a clear word."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch

from grader.evidence.facts import Kind, Reason, Verdict
from grader.evidence.images import levels
from grader.submission import Submission
from tests.evidence.conftest import of
from tests.evidence.making import Made, supported

NETWORKS = "part1/cnn_encoder_decoder.py"


def solution_with(code: dict[str, bytes], more: str) -> dict[str, bytes]:
    return {NETWORKS: code[NETWORKS] + more.encode()}


# What breaks, in place of the decoder's forward.
BREAKS = {
    "raises": "raise ValueError('no')",
    "ends its process": "import os; os._exit(0)",
    "never ends": "while True: pass",
    "another shape": "return torch.zeros(len(z), 16, 28, 27)",
    "no tensor": "return 'better than all'",
    "not a number": "return torch.full((len(z), 16, 28, 28), float('nan'))",
    "infinite": "return torch.full((len(z), 16, 28, 28), float('inf'))",
    "far too much": "return torch.zeros(10**9)",
    "too large a message": "return torch.zeros(len(z), 16, 280, 280)",
}


@pytest.mark.parametrize("body", BREAKS.values(), ids=BREAKS.keys())
def test_what_breaks_supports_nothing(vae, judged, code, body, monkeypatch):
    monkeypatch.setattr("grader.box.client.CALL_SECONDS", 3.0)
    more = f"\n\ndef broken(self, z):\n    {body}\n\n\nCNNDecoder.forward = broken\n"
    run = judged(vae, files=solution_with(code, more))
    assert [(claim.verdict, claim.reason) for claim in run.claims] == [
        (Verdict.NOT_CHECKABLE, Reason.CODE),
    ]


def test_all_trainings_together_have_an_end(vae, images, box, code, monkeypatch):
    """A network that takes its time in every call costs the grader no more than the time of a submission."""
    from grader.evidence.examine import examine
    from grader.evidence.trainings import trainings

    monkeypatch.setattr("grader.evidence.examine.SECONDS", 4.0)
    more = "\n\nimport time\n\n\ndef slow(self, x):\n    time.sleep(2)\n"
    more += "    return CNNEncoder.quick(self, x)\n\n\n"
    more += "CNNEncoder.quick, CNNEncoder.forward = CNNEncoder.forward, slow\n"
    shown = {}
    for training in trainings()[:2]:
        shown |= replace(vae, run=training.run).files()
    started = time.monotonic()
    evidence = examine(
        Submission("s1", {**code, **solution_with(code, more)}, shown=shown), lambda: box, images, 1
    ).evidence
    assert time.monotonic() - started < 60
    assert not any(supported(run) & {Kind.END, Kind.SCORE} for run in evidence.runs)


def test_networks_that_have_their_weights_in_the_code_are_seen(vae, judged, code):
    """A better model hidden in the code would make good values of any weights."""
    import base64

    hidden = base64.b64encode(vae.files()["evidence/vae_z_dim_20/final.safetensors"]).decode()
    more = f'''

import base64
from safetensors.torch import load

HIDDEN = load(base64.b64decode("{hidden}"))


def with_hidden(kind, prefix):
    plain = kind.forward

    def forward(self, x):
        own = {{name[len(prefix):]: value for name, value in HIDDEN.items() if name.startswith(prefix)}}
        torch.nn.Module.load_state_dict(self, own)
        return plain(self, x)

    kind.forward = forward


with_hidden(CNNEncoder, "encoder.")
with_hidden(CNNDecoder, "decoder.")
'''
    run = judged(vae, files=solution_with(code, more))
    assert not supported(run)
    assert Reason.NOT_USED in {claim.reason for claim in run.claims}


BY_HEART = '''
import torch
from torch import nn

BITS = 14
PLACES = torch.randn(784, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


class CNNEncoder(nn.Module):
    """Says which of the images it is that it has by heart."""

    def __init__(self, num_input_channels=1, num_filters=32, z_dim=20):
        super().__init__()
        self.z_dim = z_dim
        self.register_buffer("keys", torch.zeros(10000))

    def forward(self, x):
        key = (x.flatten(1).double() @ PLACES).float()
        number = (key[:, None] - self.keys).abs().argmin(dim=1)
        mean = torch.zeros(len(x), self.z_dim)
        for bit in range(BITS):
            mean[:, bit] = 6.0 * ((number >> bit) & 1) - 3.0
        return mean, torch.zeros(len(x), self.z_dim) - 0.5


class CNNDecoder(nn.Module):
    """Has the test images packed into its weights, sixteen pixels to a number."""

    def __init__(self, num_input_channels=16, num_filters=32, z_dim=20):
        super().__init__()
        self.register_buffer("table", torch.zeros(10000, 49, dtype=torch.int64))
        self.register_buffer("sureness", torch.zeros(1))

    def forward(self, z):
        number = sum(((z[:, bit] > 0).long() << bit) for bit in range(BITS)).clamp(max=9999)
        packed = self.table[number]
        pixels = torch.stack([(packed >> (4 * place)) & 15 for place in range(16)], dim=2)
        levels = pixels.reshape(len(z), 28, 28)
        return self.sureness * nn.functional.one_hot(levels, 16).permute(0, 3, 1, 2).float()

    @property
    def device(self):
        return self.table.device
'''


def test_a_network_that_has_the_test_images_by_heart_is_seen(images, judged):
    pixels = levels(images["test"].pixels(torch.arange(10_000))).flatten(1)
    places = torch.randn(784, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    nibbles = pixels.reshape(10_000, 49, 16)
    table = sum(nibbles[:, :, place] << (4 * place) for place in range(16))
    weights = {
        "encoder.keys": (pixels.double() @ places).float(),
        "decoder.table": table,
        "decoder.sureness": torch.tensor([5.5]),
    }
    summary = {"test_bpd": 0.52}
    made = Made("vae_z_dim_20", {"final": weights, "tested": weights}, {}, summary, {"z_dim": 20})
    run = judged(made, files={NETWORKS: BY_HEART.encode()})
    score = of(run, Kind.SCORE)
    assert score.measured < 0.7  # it would do, if nobody looked at other images
    assert not supported(run), run.claims
    assert Reason.BY_HEART in {claim.reason for claim in run.claims}


def test_files_that_are_no_weights_are_named(vae, judged):
    files = vae.files()
    files["evidence/vae_z_dim_20/final.safetensors"] = b"PK" + bytes(1000)
    run = judged(files)
    assert [claim.reason for claim in run.claims] == [Reason.REFUSED]
    assert run.problems[0].startswith("final.safetensors: ")


def test_without_mnist_nothing_could_be_checked(vae, box, code):
    from grader.evidence.examine import examine

    evidence = examine(Submission("s1", code, shown=vae.files()), lambda: box, None, 1).evidence
    (run,) = [one for one in evidence.runs if not one.absent]
    assert [(claim.verdict, claim.reason) for claim in run.claims] == [
        (Verdict.NOT_CHECKABLE, Reason.NO_IMAGES),
    ]
    assert not evidence.images


def test_without_evidence_no_box_is_opened(code):
    from grader.evidence.examine import examine

    def no_box():
        raise AssertionError("a box was opened")

    assert examine(Submission("s1", code), no_box, None, 1).evidence.absent
