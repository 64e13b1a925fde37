"""A session: serves the grader's requests with the student's files, in a confined process.

Everything here shares its process with the student's code, so nothing here can be trusted: the
grader checks every reply, and knows no more of a result than its bytes.
"""

from __future__ import annotations

import dis
import importlib
import os
import random
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import devices
import numpy as np
import packages
import torch
import wire

WORK = "/submission"
MAX_MESSAGE = 2000
RAISE = dis.opmap["RAISE_VARARGS"]
MAX_TYPE = 80


def work_in(folder: str) -> None:
    """Keep the submission's files elsewhere (without a box there is no private /submission)."""
    global WORK
    WORK = folder


def student_file(filename: object) -> str | None:
    """The name of a student's file within the submission; None for any other file.

    Folders with a leading underscore hold the grader's own helpers.
    """
    text = str(filename)
    if not text.startswith(WORK + "/"):
        return None
    name = text.removeprefix(WORK + "/")
    return None if name.startswith("_") else name


class Objects:
    """The objects that stay here, by the number under which the grader knows them."""

    def __init__(self) -> None:
        self.by_id: dict[int, Any] = {}

    def keep(self, value: Any) -> wire.Reference:
        """Remember an object and give it a number."""
        number = len(self.by_id) + 1
        self.by_id[number] = value
        return wire.Reference(number, type(value).__name__[:MAX_TYPE])

    def outgoing(self, value: Any) -> Any:
        """Replace, in a result, what cannot travel by a reference to it."""
        if value is None or type(value) in (bool, int, float, str, wire.Reference):
            return value
        if isinstance(value, torch.Tensor):
            return value
        if isinstance(value, np.ndarray | np.generic):
            return torch.as_tensor(np.array(value)) if value.dtype.kind in "biuf" else self.keep(value)
        if type(value) is list:
            return [self.outgoing(part) for part in value]
        if isinstance(value, tuple):
            return tuple(self.outgoing(part) for part in value)
        if isinstance(value, dict) and all(type(key) in (str, int) for key in value):
            return {key: self.outgoing(part) for key, part in value.items()}
        return self.keep(value)

    def incoming(self, value: Any) -> Any:
        """Put the objects back in the place of their references."""
        if isinstance(value, wire.Reference):
            return self.by_id[value.id]
        if isinstance(value, list):
            return [self.incoming(part) for part in value]
        if isinstance(value, tuple):
            return tuple(self.incoming(part) for part in value)
        if isinstance(value, dict):
            return {key: self.incoming(part) for key, part in value.items()}
        return value


def tensors_in(value: Any) -> list[torch.Tensor]:
    """All tensors of a value, in the order in which they travel."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [tensor for part in value for tensor in tensors_in(part)]
    if isinstance(value, dict):
        return [tensor for part in value.values() for tensor in tensors_in(part)]
    return []


def accumulated_gradients(
    heads: list[torch.Tensor], wanted: list[torch.Tensor], cotangents: list[torch.Tensor]
) -> list[torch.Tensor | None]:
    """Gradients as a training loop gets them, by `backward`; what `.grad` held before is put back.

    `torch.utils.checkpoint` in its reentrant mode (the default until torch 2.15 and after) refuses
    `autograd.grad`, which only a grader calls.
    """
    before = [tensor.grad for tensor in wanted]
    for tensor in wanted:
        tensor.grad = None
    try:
        torch.autograd.backward(heads, cotangents, retain_graph=True)
        return [tensor.grad for tensor in wanted]
    finally:
        for tensor, gradient in zip(wanted, before, strict=True):
            tensor.grad = gradient


class Session:
    """The operations, one method each."""

    def __init__(self) -> None:
        self.objects = Objects()

    def files(self, files: dict[str, torch.Tensor]) -> None:
        """Write files (bytes as uint8 tensors) below the private folder."""
        for name, content in files.items():
            path = Path(WORK, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.numpy().tobytes())

    def enter(self, folder: str) -> None:
        """Make a folder the place from which modules are imported, as when a script in it is run."""
        path = str(Path(WORK, folder))
        os.chdir(path)
        sys.path.insert(0, path)
        packages.install(folder)

    def load(self, name: str) -> Any:
        """Import a module."""
        return self.objects.keep(importlib.import_module(name))

    def get(self, target: wire.Reference, name: str) -> Any:
        """An attribute."""
        return self.objects.outgoing(getattr(self.objects.incoming(target), name))

    def set(self, target: wire.Reference, name: str, value: Any) -> None:
        """Set an attribute."""
        setattr(self.objects.incoming(target), name, self.objects.incoming(value))

    def call(
        self, target: wire.Reference, args: tuple[Any, ...], kwargs: dict[str, Any], record: bool
    ) -> dict[str, Any]:
        """Call something. With `record`, the graph stays for `backward`."""
        function = self.objects.incoming(target)
        args, kwargs = self.objects.incoming(args), self.objects.incoming(kwargs)
        leaves = [tensor for tensor in tensors_in((args, kwargs)) if tensor.requires_grad]
        result = self.objects.outgoing(function(*args, **kwargs))
        reply: dict[str, Any] = {"value": result}
        if record:
            reply["graph"] = self.objects.keep((leaves, tensors_in(result)))
        return reply

    def backward(
        self,
        graph: wire.Reference,
        outputs: list[int],
        cotangents: list[torch.Tensor],
        of: list[wire.Reference],
    ) -> list[Any]:
        """Vector-Jacobian products of a recorded call.

        Args:
            graph: what `call` returned.
            outputs: which of the result's tensors the cotangents belong to.
            cotangents: one tensor for each of `outputs`.
            of: networks whose parameters to differentiate by; without any, the call's inputs.

        Returns:
            Without networks, a gradient (or None) for each input that required one; otherwise, for each
            network, a dict from parameter name to gradient or None, without frozen parameters.
        """
        leaves, results = self.objects.incoming(graph)
        heads = [results[index] for index in outputs]
        networks = [
            {
                name: parameter
                for name, parameter in self.objects.incoming(ref).named_parameters()
                if parameter.requires_grad
            }
            for ref in of
        ]
        wanted = [parameter for network in networks for parameter in network.values()] if of else leaves
        # The grader sends float32; the output may be of another floating type.
        cotangents = [
            cotangent.to(head.dtype) if head.is_floating_point() else cotangent
            for head, cotangent in zip(heads, cotangents, strict=True)
        ]
        if not wanted or not any(head.requires_grad for head in heads):
            gradients: list[torch.Tensor | None] = [None] * len(wanted)
        else:
            try:
                gradients = list(
                    torch.autograd.grad(heads, wanted, cotangents, retain_graph=True, allow_unused=True)
                )
            except RuntimeError as error:
                if "checkpoint" not in str(error):
                    raise
                gradients = accumulated_gradients(heads, wanted, cotangents)
        if not of:
            return gradients
        remaining = iter(gradients)
        return [{name: next(remaining) for name in network} for network in networks]

    def cpu(self) -> float:
        """CPU time of this process so far, in seconds; for measurements, not for verdicts."""
        return time.process_time()

    def stay_on_cpu(self) -> None:
        """Take every device that is not here for the CPU."""
        devices.stay_on_cpu()


def seed(number: int) -> None:
    """Seed every generator a student may draw from."""
    random.seed(number)
    np.random.seed(number % 2**32)
    # Not torch.manual_seed: that notes the call's stack for GPUs which are not here, and costs 1 ms.
    torch.default_generator.manual_seed(number)


def text_of(error: BaseException) -> str:
    """An exception's message, whatever its `__str__` does."""
    try:
        text = str.__getitem__(str(error), slice(MAX_MESSAGE))
        return text.encode(errors="replace").decode()
    except BaseException:
        return "(its message cannot be read)"


def describe(error: BaseException) -> dict[str, Any]:
    """An exception as data: what and where in the student's files."""
    # Not through `traceback`: it would ask the student's modules for their source.
    where, raised_by_student = [], False
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        name = student_file(code.co_filename)
        # An error from within torch ends in the student's frame, too: only a `raise` is one of a stub.
        raised_by_student = name is not None and code.co_code[step.tb_lasti] == RAISE
        if name is not None:
            where.append([name, step.tb_lineno, code.co_name])
        step = step.tb_next
    if isinstance(error, SyntaxError) and (name := student_file(error.filename)) is not None:
        where.append([name, error.lineno or 0, "<module>"])
    return {
        "type": type.__getattribute__(type(error), "__name__")[:MAX_TYPE],
        "message": (message := text_of(error)),
        "device": devices.missing_device(error, message),
        "where": where[-5:],
        "stub": isinstance(error, NotImplementedError) and raised_by_student,
    }


def receive_exactly(channel: socket.socket, count: int) -> bytearray:
    """Read `count` bytes, or end: without the grader there is nothing left to do."""
    data = bytearray(count)
    view, done = memoryview(data), 0
    while done < count:
        got = channel.recv_into(view[done:])
        if got == 0:
            os._exit(0)
        done += got
    return data


def serve(descriptor: int) -> None:
    """Answer requests until the grader hangs up."""
    channel = socket.socket(fileno=descriptor)
    session = Session()
    operations: dict[str, Callable[..., Any]] = {
        name: getattr(session, name)
        for name in ("files", "enter", "load", "get", "set", "call", "backward", "cpu", "stay_on_cpu")
    }
    while True:
        length = wire.header_length(bytes(receive_exactly(channel, wire.LENGTH.size)))
        header = wire.parse_header(bytes(receive_exactly(channel, length)))
        request = wire.unpack(header, receive_exactly(channel, header.payload_length), gradients=True)
        try:
            if request["seed"] is not None:
                seed(request["seed"])
            reply = {"result": operations[request["op"]](*request["arguments"])}
            message = wire.pack(reply)
        except wire.WireError as error:
            message = wire.pack({"unusable": str(error)})
        except BaseException as error:
            try:
                message = wire.pack({"error": describe(error)})
            except BaseException:  # the exception is itself a trick
                message = wire.pack({"error": {"type": "an exception that cannot be shown"}})
        channel.sendall(message)
