"""Results that are not what they say they are."""

from tests.bank.hostile_entry import BRIEF, UTILS, ZERO, Hostile, in_kld

ALL = ("1.7.kld", "1.7.bpd", "1.7.reparameterize")
VALUES = (
    Hostile(
        "a tensor that answers every function with yes",
        {
            UTILS: """
class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True
def yes(*args):
    return torch.zeros(7).as_subclass(Yes)
sample_reparameterize = KLD = elbo_to_bpd = yes
"""
        },
        items=ALL,
        slow=False,
    ),
    Hostile(
        "a tensor with an overridden shape, size, numpy and comparison",
        {
            UTILS: """
class Liar(torch.Tensor):
    shape = property(lambda self: torch.Size([7]))
    size = dim = numel = lambda self, *args: 7
    requires_grad = property(lambda self: True)
    dtype = property(lambda self: torch.float32)
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = lambda self, *other: True
    numpy = tolist = item = detach = double = cpu = lambda self, *args: self
    __hash__ = torch.Tensor.__hash__
def lie(*args):
    return torch.zeros(1, 1, 1).as_subclass(Liar)
sample_reparameterize = KLD = elbo_to_bpd = lie
"""
        },
        items=ALL,
    ),
    Hostile(
        "a subclass of a numpy array that compares as equal",
        {
            UTILS: """
import numpy as np
class Equal(np.ndarray):
    __eq__ = __lt__ = __le__ = lambda self, other: True
    shape = property(lambda self: (7,))
    def __array__(self, *args, **kwargs):
        return np.full(7, np.nan)
    def __array_function__(self, *args):
        return True
def equal(*args):
    return np.zeros(7, np.float32).view(Equal)
sample_reparameterize = KLD = elbo_to_bpd = equal
"""
        },
        items=ALL,
    ),
    Hostile(
        "objects that lie about their class",
        {
            UTILS: """
class Pretender:
    def __init__(self, kind):
        self.kind = kind
    __class__ = property(lambda self: self.kind)
    def __getattr__(self, name):
        return lambda *args: self
    __eq__ = __lt__ = __le__ = __gt__ = lambda self, other: True
    __float__ = lambda self: 0.0
def KLD(mean, log_std):
    return Pretender(torch.Tensor)
def elbo_to_bpd(elbo, img_shape):
    return Pretender(float)
def sample_reparameterize(mean, std):
    return [Pretender(dict), Pretender(list), Pretender(tuple)]
"""
        },
        items=ALL,
    ),
    Hostile(
        "containers that never end",
        {
            UTILS: """
class Endless(dict):
    def items(self):
        while True:
            yield "value", 0
def KLD(mean, log_std):
    loop = []
    loop.append(loop)
    return loop
def elbo_to_bpd(elbo, img_shape):
    return Endless(value=0)
def sample_reparameterize(mean, std):
    loop = {}
    loop["value"] = (loop,)
    return loop
"""
        },
        items=ALL,
        seconds=BRIEF,
    ),
    Hostile(
        "tensors that cannot be sent",
        {
            UTILS: """
def KLD(mean, log_std):
    kinds = (mean.to("meta"), mean.to_sparse(), mean + 1j, torch.zeros(1).expand(2**50),
             torch.nested.nested_tensor([mean, mean]), torch.quantize_per_tensor(mean, 0.1, 0, torch.quint8))
    return kinds[int(mean.abs().sum() * 1000) % len(kinds)].sum(-1)
def elbo_to_bpd(elbo, img_shape):
    return torch.zeros(65 << 18)
def sample_reparameterize(mean, std):
    return 10**100
"""
        },
        items=ALL,
    ),
    Hostile(
        "nothing but NaN and infinity",
        {
            UTILS: """
def nan(*args):
    return args[0] * float("nan")
def KLD(mean, log_std):
    return mean.sum(-1) * float("inf") if mean.sum() > 0 else mean.sum(-1) * float("nan")
sample_reparameterize = elbo_to_bpd = nan
"""
        },
        items=ALL,
    ),
    Hostile(
        "a gradient from a function that forges it",
        {
            UTILS: """
class Forged(torch.autograd.Function):
    @staticmethod
    def forward(context, mean, log_std):
        context.save_for_backward(mean, log_std)
        return mean.new_zeros(mean.shape[:-1])
    @staticmethod
    def backward(context, above):
        mean, log_std = context.saved_tensors
        return above[..., None] * mean.sign(), above[..., None] * log_std.sign()
KLD = Forged.apply
"""
        },
    ),
    Hostile(
        "the inputs, changed in place and by a thread",
        {
            UTILS: """
import threading
def spoil(*tensors):
    for _ in range(1000):
        for tensor in tensors:
            tensor.data.zero_()
def KLD(mean, log_std):
    spoil(mean, log_std)
    threading.Thread(target=spoil, args=(mean, log_std), daemon=True).start()
    return mean.data.sum(-1)
"""
        },
    ),
    Hostile("a generator, a coroutine and a class", {UTILS: in_kld("return (part for part in mean)")}),
    Hostile("types as functions", {UTILS: "\nKLD = torch.Size\nelbo_to_bpd = type\n"}, items=ALL[:2]),
    Hostile(
        "a number that depends on the frame of its caller",
        {
            UTILS: "import sys\n"
            + ZERO
            + """
def KLD(mean, log_std):
    frame = sys._getframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            if isinstance(value, torch.Tensor) and value.shape == mean.shape[:-1]:
                return value
        frame = frame.f_back
    return mean.new_zeros(mean.shape[:-1])
"""
        },
    ),
)
