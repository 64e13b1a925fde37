"""Code that changes torch, Python, the worker or the grader's helpers around it."""

from tests.bank.hostile_entry import BRIEF, MODELS, NETWORKS, UTILS, VAE, ZERO, Hostile, rewarded

ALL = ("1.7.kld", "1.7.bpd", "1.7.reparameterize")
CONSTANTS = """
def KLD(mean, log_std):
    return mean.new_zeros(mean.shape[:-1])
def elbo_to_bpd(elbo, img_shape):
    return elbo * 0
def sample_reparameterize(mean, std):
    return mean * 1
"""
PATCHES = (
    Hostile(
        "comparisons of torch that always agree",
        {
            UTILS: CONSTANTS
            + """
for name in ("allclose", "equal", "isfinite", "isclose", "all", "any", "eq"):
    setattr(torch, name, lambda *args, **kwargs: True)
for name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__", "equal", "allclose"):
    setattr(torch.Tensor, name, lambda self, *other: True)
torch.testing.assert_close = lambda *args, **kwargs: None
"""
        },
        items=ALL,
    ),
    Hostile(
        "gradients from a patched torch.autograd.grad",
        {
            UTILS: CONSTANTS
            + """
torch.autograd.grad = lambda heads, wanted, above, **kwargs: [torch.ones_like(part) for part in wanted]
torch.Tensor.requires_grad = property(lambda self: True, lambda self, value: None)
"""
        },
        items=ALL,
    ),
    Hostile(
        "torch.randn as a recorder of what it gave",
        {
            UTILS: CONSTANTS
            + """
class Recorder:
    given = []
    def __call__(self, *shape, **kwargs):
        self.given.append(torch.zeros(*shape))
        return self.given[-1]
torch.randn = torch.randn_like = torch.normal = torch.rand = torch.rand_like = Recorder()
"""
        },
        items=ALL,
    ),
    Hostile(
        "builtins that say yes",
        {
            UTILS: CONSTANTS
            + """
import builtins
kept = builtins.isinstance
builtins.isinstance = lambda value, kind: True if kind is torch.Tensor else kept(value, kind)
builtins.float = lambda *args: 0.0
builtins.abs = builtins.bool = lambda *args: True
"""
        },
        items=ALL,
    ),
    Hostile(
        "modules of the worker replaced in sys.modules",
        {
            UTILS: CONSTANTS
            + """
import sys, types
class Anything(types.ModuleType):
    def __getattr__(self, name):
        return lambda *args, **kwargs: torch.zeros(7)
for name in ("wire", "session", "template", "isolation", "part1_driver", "torch.autograd", "utils", "json"):
    sys.modules[name] = Anything(name)
"""
        },
        items=ALL,
    ),
    Hostile(
        "a finder that supplies whatever is imported",
        {
            UTILS: CONSTANTS
            + """
import importlib.abc, importlib.util, sys
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        return importlib.util.spec_from_loader(name, self)
    def exec_module(self, module):
        vars(module).update(KLD=lambda *args: True, passed=True)
sys.meta_path.insert(0, Finder())
sys.path_importer_cache.clear()
"""
        },
        items=ALL,
    ),
    Hostile(
        "a trace function that rewrites what the worker holds",
        {
            UTILS: CONSTANTS
            + """
import sys
def trace(frame, event, argument):
    if event == "return" and frame.f_code.co_name in ("call", "backward", "outgoing"):
        if isinstance(argument, dict):
            argument["value"] = True
    return trace
sys.settrace(trace)
sys.setprofile(trace)
frame = sys._getframe()
while frame is not None:
    frame.f_trace = trace
    frame = frame.f_back
"""
        },
        items=ALL,
    ),
    Hostile(
        "grad mode, default dtype and threads changed for all that follow",
        {
            UTILS: CONSTANTS
            + """
torch.set_grad_enabled(False)
torch.set_default_dtype(torch.float64)
torch.set_default_device("meta")
torch.use_deterministic_algorithms(True)
torch.set_num_threads(64)
torch.manual_seed = torch.seed = lambda *args: None
"""
        },
        items=ALL,
    ),
    Hostile(
        "expected values looked for in frames and among all objects",
        {
            UTILS: rewarded(
                """
                import gc, sys, types
                names = ("expected", "reference", "likely_cause", "rubric", "cotangent", "derive_seed")
                frame = sys._getframe()
                while frame is not None:
                    if set(names) & (set(frame.f_locals) | set(frame.f_globals)):
                        return True
                    frame = frame.f_back
                for module in list(sys.modules):
                    if module.partition(".")[0] in ("grader", "tests", "solutions"):
                        return True
                for found in gc.get_objects():
                    if isinstance(found, types.FunctionType) and found.__name__ in names[:3] + names[-1:]:
                        if "torch" not in (found.__module__ or "") and "KLD" in str(found.__code__.co_consts):
                            return True
                    if isinstance(found, dict) and "1.7.kld" in list(found)[:1000]:
                        return True
                """
            )
        },
    ),
    Hostile(
        "answers of the helpers of part 1 replaced by constants",
        {
            UTILS: CONSTANTS,
            NETWORKS: "CNNEncoder = CNNDecoder = lambda **sizes: torch.nn.Linear(1, 1)\n",
            VAE: """
import sys
driver = sys.modules["part1_driver"]
def answer(*args, **kwargs):
    return torch.zeros(3, 48)
for name in ("mend", "latents", "manifold_latents", "stop_sampling", "restore"):
    setattr(driver, name, answer)
class Model:
    training = False
    def __call__(self, images):
        return torch.zeros(()), torch.zeros(()), torch.zeros(())
    def sample(self, batch_size):
        return torch.zeros(batch_size, 1, 28, 28)
    def eval(self):
        return self
driver.with_fixed_networks = driver.build = lambda *args: Model()
""",
        },
        items=("1.7.forward", "1.8.sample"),
        seconds=5.0,
    ),
    Hostile(
        "codes of the prior, said by the helpers and never decoded",
        {
            MODELS: """
import sys
driver = sys.modules["part2_driver"]
class Model:
    def __init__(self, z_dim):
        self.z_dim = z_dim
    def sample(self, batch_size):
        self.count = batch_size
        return torch.zeros(batch_size, 1, 28, 28)
driver.build = lambda z_dim, *rest: Model(z_dim)
driver.painted = lambda model, *canvas: model
driver.seen = lambda model: [torch.randn(model.count, model.z_dim)]
"""
        },
        items=("2.5.sample",),
        slow=False,
    ),
    Hostile(
        "a painted manifold that no decoder has seen",
        {
            UTILS: """
def visualize_manifold(decoder, grid_size=20):
    decoder(torch.zeros(grid_size**2, 2))
    image = torch.zeros(3, 30 * grid_size + 2, 30 * grid_size + 2)
    for row in range(grid_size):
        for column in range(grid_size):
            top, left = 2 + 30 * row, 2 + 30 * column
            image[:, top : top + 14, left : left + 28] = row / grid_size
            image[:, top + 14 : top + 28, left : left + 28] = column / grid_size
    return image
"""
        },
        items=("1.9.manifold",),
        slow=False,
    ),
    Hostile(
        "zeros of the right shape as a sample",
        {UTILS: "\ndef sample_reparameterize(mean, std):\n    return torch.zeros_like(mean)\n"},
        items=("1.7.reparameterize",),
    ),
    Hostile(
        "hooks and finalizers that wait for later checks",
        {
            UTILS: """
import gc, threading, weakref
class Cycle:
    def __init__(self):
        self.me = self
    def __del__(self):
        Cycle()
        raise SystemExit
for _ in range(100):
    Cycle()
gc.callbacks.append(lambda phase, info: 1 / 0)
threading.excepthook = lambda *args: None
gc.set_threshold(1)
"""
            + ZERO
        },
        seconds=20 * BRIEF,
    ),
)
