"""A recorded call as plain Python: the student's names, no helper of the grader's.

Where a suite has its helpers in the box build something (a network, a model around stand-ins), the same is
said in a line or two. What cannot be said so raises `NotPlain`.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import Any

import torch

from grader.box import wire
from grader.explain.notation import literal, small
from grader.explain.signatures import parameters_of
from grader.explain.transcript import Exchange, Transcript, driver, helper


class NotPlain(Exception):
    """A call cannot be said in plain Python; the message says why."""


class Plain:
    """Builds the lines of one script.

    Attributes:
        imports: names by module, in order.
        values: lines that give names to inputs.
        lines: what follows them.
        data: what is too large to be written out, by name.
        taken: all names in use.
        given: the tensors that have a name.
    """

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.imports: dict[str, list[str]] = {}
        self.values: list[str] = []
        self.lines: list[str] = []
        self.data: dict[str, Any] = {}
        self.taken: set[str] = {"torch", "sys", "math", "data", "came"}
        self._objects: dict[tuple[int, int], str] = {}
        self._tensors: dict[int, str] = {}
        self.given: dict[str, torch.Tensor] = {}
        self._loaded: dict[str, Any] = {}  # the state that a network of the script has
        self._modes: dict[str, str] = {}

    # -- values ----------------------------------------------------------------------------------

    def name(self, wish: str) -> str:
        """A free name like the one that is wished for."""
        wish = wish if wish.isidentifier() and not keyword.iskeyword(wish) else "value"
        found, number = wish, 2
        while found in self.taken:
            found, number = f"{wish}_{number}", number + 1
        self.taken.add(found)
        return found

    def tensor(self, value: torch.Tensor, wish: str) -> str:
        """The name of a tensor that is given."""
        if id(value) in self._tensors:
            return self._tensors[id(value)]
        name = self.name(wish)
        self._tensors[id(value)] = name
        self.given[name] = value  # as long as it lives, nothing else has its id
        grad = ".requires_grad_()" if value.requires_grad else ""
        if small(value):
            self.values.append(f"{name} = {literal(value)}{grad}")
        else:
            self.data[name] = value.detach().contiguous()
            self.values.append(f'{name} = data["{name}"]{grad}')
        return name

    def value(self, value: Any, session: int, wish: str) -> str:
        """Any argument as an expression."""
        if isinstance(value, torch.Tensor):
            return self.tensor(value, wish)
        if isinstance(value, wire.Reference):
            return self.object(session, value)
        if isinstance(value, tuple | list):
            parts = [self.value(one, session, wish) for one in value]
            if isinstance(value, list):
                return f"[{', '.join(parts)}]"
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{k!r}: {self.value(v, session, wish)}" for k, v in value.items()) + "}"
        return literal(value)

    # -- objects ---------------------------------------------------------------------------------

    def imported(self, module: str, name: str) -> str:
        """A name of one of the student's modules."""
        names = self.imports.setdefault(module, [])
        if name not in names:
            names.append(name)
            self.taken.add(name)
        return name

    def object(self, session: int, reference: wire.Reference) -> str:
        """An object of the student's as an expression."""
        key = (session, reference.id)
        if key not in self._objects:
            creation = self.transcript.creation(session, reference)
            if creation is None:
                raise NotPlain("it is about an object that nobody has asked for")
            self._objects[key] = self._created(creation)
        return self._objects[key]

    def bind(self, session: int, reference: wire.Reference, name: str) -> None:
        """From now on an object has this name."""
        self._objects[session, reference.id] = name

    def _created(self, creation: Exchange) -> str:
        session, arguments = creation.session, creation.arguments
        if creation.operation == "load":
            raise NotPlain(f"it is about the module {arguments[0]} itself")
        if creation.operation == "get":
            owner = self.transcript.creation(session, arguments[0])
            if owner is not None and owner.operation == "load":
                if owner.arguments[0].endswith("_driver"):
                    raise NotPlain(
                        f"the check calls the code through {arguments[1]}, a helper that only the sandbox has"
                    )
                return self.imported(owner.arguments[0], arguments[1])
            return f"{self.object(session, arguments[0])}.{arguments[1]}"
        if creation.operation != "call":
            raise NotPlain("it is about an object of a backward pass")
        name = helper(self.transcript, creation)
        if name:
            if name not in BUILDERS:
                raise NotPlain(f"the object was made by {name}, a helper that only the sandbox has")
            return BUILDERS[name](self, creation)
        method = self.transcript.creation(session, arguments[0])
        if (
            method is not None
            and method.operation == "get"
            and method.arguments[1] in ("eval", "train", "to")
        ):
            return self.object(session, method.arguments[0])  # these return the network itself
        expression = self.call(creation)
        made = self.name(_variable(creation.value))
        self.lines.append(f"{made} = {expression}")
        return made

    def call(self, exchange: Exchange) -> str:
        """A call as an expression."""
        target, args, kwargs = exchange.arguments[:3]
        name = helper(self.transcript, exchange)
        if name:
            say = CALLS.get(name) or BUILDERS.get(name)  # what builds something may fail itself
            if say is None:
                raise NotPlain(f"the check calls the code through {name}, a helper that only the sandbox has")
            return say(self, exchange)
        function = self.object(exchange.session, target)
        known = parameters_of(function.rpartition(".")[2])
        wishes = dict(enumerate(known)) | exchange.names
        parts = [
            self.value(one, exchange.session, wishes.get(place, f"input_{place}" if len(args) > 1 else "x"))
            for place, one in enumerate(args)
        ]
        parts += [f"{key}={self.value(one, exchange.session, key)}" for key, one in kwargs.items()]
        return f"{function}({', '.join(parts)})"

    def settle(self, exchange: Exchange) -> None:
        """Bring the object that is called into the state that it had: weights, mode, stand-ins."""
        references = self._owners(exchange)
        for reference in references:
            self._settle(exchange, reference)

    def _owners(self, exchange: Exchange) -> list[wire.Reference]:
        """The objects that a call is about: what is called, and whose method or part it is."""
        found: list[wire.Reference] = []
        queue = [exchange.arguments[0], *_references(exchange.arguments[1:3])]
        while queue:
            reference = queue.pop(0)
            creation = self.transcript.creation(exchange.session, reference)
            if creation is None or creation.operation == "load":
                continue
            if creation.operation == "get":
                queue.append(creation.arguments[0])
            elif creation.operation == "call":
                found.append(reference)
                # A network that a helper was given, and gave back.
                queue += [one for one in _references(creation.arguments[1:3]) if one.type == reference.type]
            if creation.operation == "get" and self.transcript.states.get((exchange.session, reference.id)):
                found.append(reference)
        return found

    def _settle(self, exchange: Exchange, reference: wire.Reference) -> None:
        session = exchange.session
        creation = self.transcript.creation(session, reference)
        around = creation is not None and helper(self.transcript, creation) in AROUND_STAND_INS
        state = None if around else self.transcript.states.get((session, reference.id))
        mode = ""
        for other in self.transcript.exchanges:
            if other is exchange:
                break
            if other.session != session or other.operation != "call":
                continue
            name = helper(self.transcript, other)
            if name and any(one.id == reference.id for one in _references(other.arguments[1:3])):
                if name in EFFECTS:
                    EFFECTS[name](self, other)
                elif name not in HARMLESS and name not in BUILDERS:
                    raise NotPlain(f"the object was changed by {name}, a helper that only the sandbox has")
            method = self.transcript.creation(session, other.arguments[0])
            if method is None or method.operation != "get" or method.arguments[0] != reference:
                continue
            if method.arguments[1] == "eval":
                mode = "eval()"
            elif method.arguments[1] == "train":
                mode = f"train({', '.join(map(repr, other.arguments[1]))})"
            elif method.arguments[1] == "load_state_dict" and other.arguments[1]:
                state = other.arguments[1][0]
        network = self.object(session, reference)
        if state and self._loaded.get(network) is not state:
            self._loaded[network] = state
            wish = self.name(f"{network.split('.')[-1]}_state" if network.isidentifier() else "state")
            self.data[wish] = dict(state)
            self.lines.append(f'{network}.load_state_dict(data["{wish}"])')
        if mode and self._modes.get(network) != mode:
            self._modes[network] = mode
            self.lines.append(f"{network}.{mode}")


def _references(value: Any) -> list[wire.Reference]:
    if isinstance(value, wire.Reference):
        return [value]
    if isinstance(value, list | tuple):
        return [one for part in value for one in _references(part)]
    if isinstance(value, dict):
        return _references(list(value.values()))
    return []


def _variable(value: Any) -> str:
    """What to call an object: by the end of its class's name, `encoder` for a CNNEncoder."""
    kind = value.type if isinstance(value, wire.Reference) else "value"
    ends = {"encoder": "encoder", "decoder": "decoder", "discriminator": "discriminator"}
    lower = kind.lower()
    return next((name for end, name in ends.items() if lower.endswith(end)), "model")


# -- what the grader's helpers do, in plain Python -------------------------------------------------


def _network(plain: Plain, made: Exchange) -> str:
    name, channels, filters, z_dim = made.arguments[1]
    kind = plain.imported("cnn_encoder_decoder", name)
    variable = plain.name(_variable(made.value))
    plain.lines.append(
        f"{variable} = {kind}(num_input_channels={channels}, num_filters={filters}, z_dim={z_dim})"
    )
    return variable


def _vae(plain: Plain, made: Exchange) -> str:
    filters, z_dim, *rate = made.arguments[1]
    return _model(plain, f"VAE(num_filters={filters}, z_dim={z_dim}, lr={rate[0] if rate else 1e-3})")


def _model(plain: Plain, expression: str) -> str:
    plain.imported("train_pl", "VAE")
    variable = plain.name("model")
    plain.lines.append(f"{variable} = {expression}")
    return variable


def _fixed_networks(plain: Plain, made: Exchange) -> str:
    mean, log_std, logits, *more = made.arguments[1]
    gain = made.arguments[2].get("gain", more[0] if more else 0.0)
    model = _model(plain, f"VAE(num_filters=8, z_dim={mean.shape[1]}, lr=1e-3)")
    names = [plain.tensor(*pair) for pair in ((mean, "mean"), (log_std, "log_std"), (logits, "logits"))]
    rows = f"{names[2]}.expand(len(z), -1, -1, -1)" if len(logits) == 1 else f"{names[2]}[:len(z)]"
    if gain:
        share = plain.name("share")
        plain.lines.append(
            f"{share} = torch.arange({logits[0].numel()}.).sin().view({tuple(logits[0].shape)})"
        )
        rows = f"{rows} + {gain} * z.sum(1).view(-1, 1, 1, 1) * {share}"
    unit = plain.name("unit")
    plain.lines += [
        "# In place of your networks: functions of given outputs, as the contract describes them.",
        f"{model}.encoder.forward = lambda x: ({names[0]}[:len(x)], {names[1]}[:len(x)])",
        f"{unit} = next({model}.decoder.parameters()).new_ones(1)",
        "# The product is of no account, but fails for latents of another dtype than the weights.",
        f"{model}.decoder.forward = lambda z: ({rows}).clone() + 0 * float({unit} @ z.flatten()[:1])",
        f"{model}.eval()",
    ]
    return model


def _manifold_decoder(plain: Plain, made: Exchange) -> str:
    upper, lower = (
        plain.tensor(one, name) for one, name in zip(made.arguments[1], ("upper", "lower"), strict=True)
    )
    variable = plain.name("decoder")
    seen = plain.name("seen")
    plain.lines += [
        f"{seen} = []",
        "class Decoder(torch.nn.Linear):  # the upper half tells one latent, the lower half the other",
        "    device = torch.device('cpu')",
        "    def forward(self, z):",
        f"        {seen}.append(z)",
        "        share = torch.special.ndtr(z)[:, :, None]",
        f"        ends = ((1 - share[:, 0]) * {upper}[0] + share[:, 0] * {upper}[1], "
        f"(1 - share[:, 1]) * {lower}[0] + share[:, 1] * {lower}[1])",
        "        halves = [end.view(-1, 16, 1, 1).expand(-1, 16, 14, 28) for end in ends]",
        "        image = torch.cat(halves, dim=2).clone()",
        "        image[:, :, :, [0, 27]], image[:, 0, :, 0] = -30.0, 30.0",
        "        image[torch.arange(len(z)), torch.where(z[:, 0] > 0, 15, 7), :, 27] = 30.0",
        "        return image",
        f"{variable} = Decoder(2, 1).eval()",
    ]
    return variable


def _seen(plain: Plain, made: Exchange) -> str:
    """The latents that a stand-in decoder was given; it has to have been used before."""
    plain.object(made.session, made.arguments[1][0])
    before = [
        one
        for one in plain.transcript.exchanges[: plain.transcript.exchanges.index(made)]
        if one.session == made.session and not helper(plain.transcript, one)
    ]
    uses = [one for one in before if made.arguments[1][0] in _references(one.arguments[1:3])]
    if not uses:
        raise NotPlain("nobody has used the decoder that it asks")
    image = plain.name("image")
    plain.lines.append(f"{image} = {plain.call(uses[-1])}")
    return "torch.cat(seen)"


def _adversarial(plain: Plain, made: Exchange) -> str:
    kind = plain.imported("models", "AdversarialAE")
    variable = plain.name("model")
    plain.lines.append(f"{variable} = {kind}(z_dim={made.arguments[1][0]})")
    return variable


def _built(plain: Plain, made: Exchange) -> str:
    """Each part's model: both drivers have a helper of this name."""
    got = plain.transcript.creation(made.session, made.arguments[0])
    part2 = got is not None and driver(plain.transcript, got) == "part2_driver"
    return _adversarial(plain, made) if part2 else _vae(plain, made)


def _first(plain: Plain, made: Exchange) -> str:
    return plain.object(made.session, made.arguments[1][0])


def _judged(plain: Plain, made: Exchange) -> str:
    model, weight, bias, flat, probabilities = made.arguments[1]
    expression = f"z @ {plain.tensor(weight, 'weight')} + {plain.tensor(bias, 'bias')}"
    if probabilities:
        expression = f"({expression}).sigmoid()"
    if not flat:
        expression = f"({expression}).unsqueeze(-1)"
    name = plain.object(made.session, model)
    line = f"{name}.discriminator.forward = lambda z: {expression}  # in place of yours"
    if line not in plain.lines:
        plain.lines.append(line)
    return f"{name}.discriminator"


def _painted(plain: Plain, made: Exchange) -> str:
    model, weight, bias = made.arguments[1]
    name = plain.object(made.session, model)
    drawn = f"(z @ {plain.tensor(weight, 'weight')} + {plain.tensor(bias, 'bias')}).tanh()"
    line = f"{name}.decoder.forward = lambda z: {drawn}.view(-1, 1, 28, 28)  # in place of yours"
    if line not in plain.lines:
        plain.lines.append(line)
    return name


def _half(plain: Plain, made: Exchange) -> str:
    model, name, *_ = made.arguments[1]
    return f"{plain.object(made.session, model)}.{name}"


def _asked(plain: Plain, made: Exchange) -> str:
    network, x = made.arguments[1]
    return f"{plain.object(made.session, network)}({plain.value(x, made.session, 'x')})"


def _half_asked(plain: Plain, made: Exchange) -> str:
    return f"{_half(plain, made)}({plain.value(made.arguments[1][2], made.session, 'x')})"


Builder = Callable[[Plain, Exchange], str]
BUILDERS: dict[str, Builder] = {
    "network": _network,
    "vae": _vae,
    "build": _built,
    "with_fixed_networks": _fixed_networks,
    "manifold_decoder": _manifold_decoder,
    "takes_its_dtype": _first,
    "awake": _first,
    "answering": _first,
    "plain": _half,
    "judged": _judged,
    "painted": _painted,
}
GIVE_BACK = ("takes_its_dtype", "awake")  # the network that they are given, ready to be judged
CALLS: dict[str, Builder] = {
    "manifold_latents": lambda plain, made: _seen(plain, made),
    "as_it_is": _asked,
    "answer_of": _half_asked,
}
# What helpers do to an object that they are given.
EFFECTS: dict[str, Builder] = {"judged": _judged, "painted": _painted}
HARMLESS = (
    "settle",
    "seen",
    "latents",
    "encoded",
    "alters",
    "manifold_latents",
    "device_of",
    "as_it_is",
    "answer_of",
)
# Here the weights are not what is looked at.
AROUND_STAND_INS = ("with_fixed_networks", "manifold_decoder", "judged")
