"""Every way in which code can end, and every odd thing it can raise or return."""

import contextlib

import pytest

from grader.box.errors import StudentError


def ending(probe, code, seconds=10.0):
    """The error that code ends in."""
    with probe.session.deadline(seconds), pytest.raises(StudentError) as caught:
        probe.run(code)
    return caught.value


def still_works(probe):
    return probe.run("result = 6 * 7") == 42


@pytest.mark.parametrize(
    "code",
    [
        "import os; os._exit(0)",
        "import os; os._exit(1)",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.abort()",
        "import os; os.close(3)",
        "import socket; socket.socket(fileno=3).shutdown(socket.SHUT_RDWR)",
        "import os, threading; threading.Thread(target=os._exit, args=(0,)).start(); os.read(3, 1)",
    ],
)
def test_code_that_ends_its_process_is_told_so(box, probe, code):
    assert ending(probe, code).kind == "died"
    assert box.alive()


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import sys; sys.exit(0)", "SystemExit"),
        ("exit()", "SystemExit"),
        ("raise SystemExit", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("class Odd(BaseException): pass\nraise Odd", "Odd"),
        ("raise ExceptionGroup('several', [ValueError(1)])", "ExceptionGroup"),
        ("import pytest; pytest.skip('no')", "Skipped"),
        ("import pytest; pytest.exit('no')", "Exit"),
        ("def deeper(): return deeper()\ndeeper()", "RecursionError"),
        ("input()", "EOFError"),
        ("raise NotImplementedError", "NotImplementedError"),
        ("assert False, 'reason'", "AssertionError"),
        ("1 / 0", "ZeroDivisionError"),
        ("this is no python", "SyntaxError"),
    ],
)
def test_whatever_is_raised_is_reported_and_the_session_lives_on(probe, code, name):
    error = ending(probe, code)
    assert error.kind in ("raised", "not_implemented")
    assert name in str(error) or error.kind == "not_implemented"
    assert still_works(probe)


@pytest.mark.parametrize(
    "body",
    [
        "def __str__(self): raise RuntimeError('again')",
        "def __str__(self): raise SystemExit",
        "def __str__(self): return 'x' * 50_000_000",
        "def __str__(self): return 5",
        "def __str__(self): return '\\ud800 \\x1b[2J'",
        "def __str__(self): return type('Text', (str,), {'__getitem__': lambda *a: 1 / 0})('text')",
        "def __getattribute__(self, name): raise RuntimeError('not that one')",
        "__traceback__ = property(lambda self: 1 / 0)",
        "__class__ = property(lambda self: 1 / 0)",
        "def __repr__(self): return 'x' * 10_000_000",
    ],
)
def test_an_exception_that_is_a_trick_is_still_an_exception(probe, body):
    error = ending(probe, f"class Trick(Exception):\n    {body}\nraise Trick")
    assert error.kind == "raised"
    assert len(str(error)) < 700
    assert str(error).isprintable()
    assert still_works(probe)


@pytest.mark.parametrize(
    "code",
    [
        "raise type('E' * 10**7, (Exception,), {})",
        "raise type('\\x1b[2J', (Exception,), {})",
        "error = SyntaxError('x'); error.filename = object(); error.lineno = object(); raise error",
        "error = SyntaxError('x'); error.filename = '/submission/a.py'; error.lineno = 'x'; raise error",
        "class Meta(type):\n    __name__ = property(lambda cls: 1 / 0)\n"
        "class Odd(Exception, metaclass=Meta): pass\nraise Odd",
        "exec(compile('1/0', '/submission/part1/' + 'f' * 10**6, 'exec'))",
        "exec(compile('1/0', '/submission/part1/\\x1b[2J', 'exec'))",
        "exec(compile('1/0', '/submission/p', 'exec'), {'__loader__': 5, '__name__': 5})",
    ],
)
def test_odd_names_and_places_of_exceptions_are_harmless(probe, code):
    error = ending(probe, code)
    assert error.kind == "raised"
    assert len(str(error)) < 700
    assert str(error).isprintable()
    assert still_works(probe)


def test_a_stub_counts_as_one_only_where_the_student_s_file_raises_it(probe):
    assert ending(probe, "raise NotImplementedError('Question 1.7')").kind == "not_implemented"
    assert ending(probe, "import torch; torch.nn.Module()(1)").kind == "raised"


@pytest.mark.parametrize(
    "code",
    [
        "class R:\n    def __getattr__(self, name): raise SystemExit(name)\nresult = R()",
        "class R:\n    __class__ = property(lambda self: 1 / 0)\nresult = R()",
        "class R(dict):\n    def items(self): raise SystemExit\nresult = R(a=1)",
        "class R(dict):\n    def __iter__(self): raise KeyboardInterrupt\nresult = R(a=1)",
        "class R(tuple):\n    def __iter__(self):\n        while True: yield 1\nresult = R()[:0] or 1 / 0",
        "class R(list):\n    def __len__(self): raise SystemExit\nresult = R([1])",
        "class R(str):\n    def __str__(self): raise SystemExit\nresult = R('a')",
        "class R(int):\n    def __index__(self): raise SystemExit\nresult = R(1)",
        "class R(float):\n    def __float__(self): raise SystemExit\nresult = R(1)",
        "class K(str):\n    def __hash__(self): return 1 / 0\nresult = {'a': 1, 2.5: 3}",
        "result = {True: 1, None: 2}",
        "result = {(1, 2): 3}",
        "result = {'\\ud800': '\\udfff'}",
        "result = iter(int, 1)",
        "result = lambda: result",
        "result = object",
        "import sys; result = sys",
        "result = b'bytes'",
        "result = {1, 2}",
        "result = 1j",
        "result = []\nresult.append(result)",
        "import numpy; result = numpy.array([object()])",
        "import numpy; result = numpy.array(['a'])",
        "import numpy; result = numpy.datetime64('2026-01-01')",
        "import torch; result = torch.eye(2).to_sparse()",
        "import torch; result = torch.zeros(2, device='meta')",
        "import torch; result = torch.zeros(2, dtype=torch.complex64)",
        "import torch; result = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8)",
        "import torch; result = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])",
        "import torch; result = torch.nn.parameter.UninitializedParameter()",
        "import torch\nclass T(torch.Tensor):\n    @classmethod\n"
        "    def __torch_function__(cls, *a, **k): raise SystemExit\nresult = torch.ones(2).as_subclass(T)",
    ],
)
def test_an_odd_result_is_sent_kept_or_refused_and_the_session_lives_on(probe, code):
    with probe.session.deadline(10), contextlib.suppress(StudentError):
        probe.run(code)
    assert not probe.session.broken  # at most `raised` or `unusable`
    assert still_works(probe)


def test_results_that_are_numbers_in_disguise_arrive_as_numbers(probe):
    assert probe.run("import numpy; result = numpy.float32(0.5)").item() == 0.5
    assert probe.run("import numpy; result = numpy.arange(3)").tolist() == [0, 1, 2]
    assert probe.run("import torch; result = torch.nn.Parameter(torch.ones(2))").tolist() == [1, 1]
    assert probe.run("import torch; result = torch.ones(2).double().numpy()[::-1]").tolist() == [1, 1]


@pytest.mark.parametrize(
    "code",
    [
        "import os, signal; os.kill(-1, signal.SIGKILL)",
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
        "import os, signal; os.killpg(0, signal.SIGKILL)",
        "import signal; signal.alarm(1); signal.pause() if 0 else None",
        "import signal; signal.raise_signal(signal.SIGPIPE)",
    ],
)
def test_signals_reach_nobody_else(box, open_probe, code):
    attacker, neighbour = open_probe(), open_probe()
    with contextlib.suppress(StudentError):
        attacker.refused(code)
    assert box.alive()
    assert still_works(neighbour)


def test_what_is_left_for_the_end_never_happens(probe):
    code = """
        import atexit, signal, threading, time
        def forever():
            while True:
                time.sleep(1)
        atexit.register(forever)
        threading.Thread(target=forever).start()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        class Clingy:
            def __del__(self): forever()
        clingy = Clingy()
        result = 1
    """
    assert probe.run("import builtins; builtins.keep = []; result = 0") == 0
    assert probe.run(code.replace("clingy =", "import builtins; builtins.clingy =")) == 1
    probe.session.close()  # returns, with nothing of the session left


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.write(3, b'HTTP/1.1 200 OK\\r\\n\\r\\n')",
        "import os, struct; os.write(3, struct.pack('<I', 0))",
        "import os, struct; os.write(3, struct.pack('<I', 9) + b'not json!')",
        "import os, struct, json; t = json.dumps({'body': {'passed': True}, 'tensors': []}).encode();"
        "os.write(3, struct.pack('<I', len(t)) + t)",
    ],
)
def test_what_is_written_to_the_wire_beside_the_worker_breaks_it(probe, code):
    assert ending(probe, code).kind == "protocol"
    assert probe.session.broken


def test_a_worker_that_is_patched_harms_only_itself(box, open_probe):
    attacker, neighbour = open_probe(), open_probe()
    code = """
        import sys
        own = ("wire", "session", "template", "isolation")
        names = [vars(sys.modules[name]) for name in ("json", "torch")]
        frame = sys._getframe()
        while frame := frame.f_back:  # the worker's modules are found by no name
            names.append(frame.f_globals)
            modules = [value for value in frame.f_globals.values() if type(value) is type(sys)]
            names += [vars(module) for module in modules if module.__name__ in own]
        for space in names:
            for name in list(space):
                if not name.startswith("__"):
                    space[name] = None
    """
    assert ending(attacker, code).kind in ("died", "protocol", "timeout")
    assert still_works(neighbour)
    assert still_works(open_probe())
