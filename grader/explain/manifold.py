"""What `visualize_manifold` drew of a decoder, and what it should have drawn: numbers show neither."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torchvision.utils import make_grid

from grader.explain.snippet import is_picture
from grader.explain.transcript import Exchange, Transcript, helper
from grader.report.expected_manifold import expected

DECODER = "manifold_decoder"  # the helper that makes the decoder, of the logits of its upper and lower half
MOST_IMAGES = 40  # along a side


def manifold_pictures(transcript: Transcript, exchange: Exchange) -> list[tuple[str, bytes]]:
    """Titles and PNG files; none where a call was not about a manifold."""
    if exchange.operation != "call" or not exchange.arguments[1] or not is_picture(exchange.value):
        return []
    made = transcript.creation(exchange.session, exchange.arguments[1][0])
    if made is None or helper(transcript, made) != DECODER:
        return []
    found = [("what came", _png(exchange.value))]
    size = exchange.arguments[2].get("grid_size", (*exchange.arguments[1], 20)[1])
    if isinstance(size, int) and 0 < size <= MOST_IMAGES:
        halves = torch.stack([half.double() for half in made.arguments[1]]).numpy()
        tiles = torch.from_numpy(expected(size, halves)).reshape(-1, 1, 28, 28)
        sheet = make_grid(tiles, nrow=size, normalize=False, padding=2, pad_value=0.5)
        found.append(("what was expected; rows and columns may be exchanged", _png(sheet)))
    return found


def _png(sheet: torch.Tensor) -> bytes:
    """A picture `[C, H, W]` with values in [0, 1]; what is no number is black."""
    values = sheet.detach().double().nan_to_num(0.0, 1.0, 0.0).clamp(0, 1)[0]
    file = io.BytesIO()
    Image.fromarray(np.rint(values.numpy() * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
