"""What code in a session cannot reach: files, networks, processes, namespaces, the kernel's corners."""

import os
import re
import struct
import sys
from pathlib import Path

import pytest

from grader.box.errors import StudentError
from grader.box.launcher import INSIDE
from tests.box.modules import module_of_the_box

REPOSITORY = Path(__file__).parents[2]
HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"),),
}
EPERM_RESULT = 0x00050000 | 1
ENOSYS_RESULT = 0x00050000 | 38


@pytest.fixture(scope="module")
def seccomp():
    """The filter's module, which is no part of the package: in the box it stands alone."""
    with module_of_the_box(INSIDE / "seccomp.py") as module:
        yield module


# -- files --------------------------------------------------------------------------------------------


def test_of_the_repository_only_the_environment_is_visible(probe):
    visible = probe.run(
        f"""
        import os
        top = {str(REPOSITORY)!r}
        result = sorted(os.listdir(top)) if os.path.isdir(top) else []
        """
    )
    assert set(visible) <= {Path(sys.prefix).name}


def test_no_solution_suite_or_rubric_lies_anywhere(probe):
    found = probe.run(
        f"""
        import os
        names = {{"rubric.toml", "test_kld.py", "cnn_encoder_decoder.py", "train_pl.py", "part1_driver.py"}}
        result = []
        for top in ("/", {sys.prefix!r}, {sys.base_prefix!r}):
            for folder, folders, files in os.walk(top):
                if folder.removeprefix(top).count("/") > 4:
                    folders.clear()
                folders[:] = [name for name in folders if name not in ("torch", "sympy", "nvidia", "share")]
                result += [os.path.join(folder, name) for name in names & {{*files, *folders}}]
        """
    )
    assert found == []


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/etc/shadow", "/etc/hosts", "/home", "/sys", "/run", "/var"]
)
def test_the_machine_s_own_files_are_not_there(probe, path):
    assert probe.refused(f"import os; os.stat({path!r})") == "ENOENT"


def test_the_user_s_home_is_not_there(probe):
    names = probe.run(
        f"""
        import os
        home = {str(Path.home())!r}
        result = sorted(os.listdir(home)) if os.path.isdir(home) else []
        """
    )
    shown = {Path(prefix) for prefix in (sys.prefix, sys.base_prefix)}
    ours = {path.relative_to(Path.home()).parts[0] for path in shown if path.is_relative_to(Path.home())}
    assert set(names) <= ours


@pytest.mark.parametrize("module", ["/box/wire.py", "/box/session.py", torch_file := "torch/__init__.py"])
def test_nothing_that_other_sessions_import_can_be_changed(probe, module):
    path = module if module.startswith("/") else f"{sys.prefix}/lib/python3.11/site-packages/{torch_file}"
    for attack in (
        "open(p, 'a')",
        "os.remove(p)",
        "os.rename(p, p + 'x')",
        "os.chmod(p, 0o777)",
        "os.utime(p)",
    ):
        assert probe.refused(f"import os; p = {path!r}; {attack}") in ("EROFS", "EPERM", "EACCES", "ENOENT")


# -- networks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "family",
    ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG", "AF_CAN", "AF_TIPC"],
)
def test_there_is_no_network(probe, family):
    code = f"import socket; socket.{{}}(socket.{family}, socket.SOCK_DGRAM)"
    assert probe.refused(code.format("socket")) == "EPERM"
    assert probe.refused(code.format("socketpair")) == "EPERM"


def test_names_cannot_be_resolved(probe):
    assert probe.refused("import socket; socket.gethostbyname('example.org')") in (
        "gaierror",
        "EPERM",
        "-3",
        "-2",
    )


# -- processes and namespaces --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.fork()",
        "import os; os.forkpty()",
        "import os; os.execv('/bin/sh', ['sh'])",
        "import os; os.posix_spawn('/bin/true', ['true'], {})",
        "import subprocess; subprocess.run(['true'])",
        "import multiprocessing as m; m.get_context('fork').Process(target=print).start()",
        "import multiprocessing as m; m.get_context('spawn').Process(target=print).start()",
    ],
)
def test_no_process_can_be_started(probe, code):
    assert probe.refused(code) in ("EPERM", "ENOENT")  # forkpty finds no terminal before it forks


def test_a_shell_does_not_start_either(probe):
    assert probe.run("import os; result = os.system('true')") != 0


# Number and arguments of calls on x86_64, apart from those that the traps' tests make.
CALLS = {
    "fork": (57,),
    "vfork": (58,),
    "execve": (59, 0, 0, 0),
    "execveat": (322, -100, 0, 0, 0, 0),
    "setns": (308, 3, 0),
    "mount": (165, 0, 0, 0, 0, 0),
    "umount2": (166, 0, 2),
    "pivot_root": (155, 0, 0),
    "chroot": (161, 0),
    "open_tree": (428, -100, 0, 1),
    "fsopen": (430, 0, 0),
    "pidfd_open": (434, 1, 0),
    "kcmp": (312, 1, 1, 0, 0, 0),
    "bpf": (321, 0, 0, 0),
    "perf_event_open": (298, 0, 0, 0, 0, 0),
    "userfaultfd": (323, 0),
    "io_uring_setup": (425, 8, 0),
    "keyctl": (250, 0, 0, 0, 0),
    "add_key": (248, 0, 0, 0, 0, 0),
    "personality": (135, 0x0040000),
    "memfd_create": (319, 0, 0),
    "shmget": (29, 0, 4096, 0o1600),
    "msgget": (68, 0, 0o1600),
    "semget": (64, 0, 1, 0o1600),
    "mq_open": (240, 0, 0, 0, 0),
    "syslog": (103, 3, 0, 0),
    "bind": (49, 3, 0, 0),
    "connect": (42, 3, 0, 0),
}


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_dangerous_system_calls_are_refused_in_the_raw(seccomp, probe):
    import platform

    if platform.machine() != "x86_64":
        pytest.skip("the numbers are those of x86_64")
    assert {name: probe.call(*call) for name, call in CALLS.items()} == dict.fromkeys(CALLS, "EPERM")


@pytest.mark.parametrize("number", [57, 59, 101, 272, 520, 521])
def test_the_x32_calls_are_no_way_round(probe, number):
    assert probe.call(number | 0x40000000, 0, 0, 0, 0) in ("EPERM", "ENOSYS")


def test_the_32_bit_calls_end_the_session(probe):
    code = """
        import ctypes, mmap
        memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        memory.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        result = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    """
    with pytest.raises(StudentError) as caught:
        probe.run(code)
    assert caught.value.kind == "died"


def test_no_capability_is_left_and_none_can_come_back(probe):
    sets, no_new_privileges, bounding, ambient = probe.run(
        """
        import ctypes
        libc = ctypes.CDLL(None)
        header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        assert libc.capget(ctypes.byref(header), ctypes.byref(sets)) == 0
        bounding = [libc.prctl(23, capability, 0, 0, 0) for capability in range(41)]
        ambient = [libc.prctl(47, 1, capability, 0, 0) for capability in range(41)]
        result = [list(sets), libc.prctl(39, 0, 0, 0, 0), bounding, ambient]
        """
    )
    assert sets == [0] * 6  # effective, permitted and inheritable
    assert no_new_privileges == 1
    assert 1 not in bounding
    assert 1 not in ambient
    assert probe.refused("import os; os.setuid(0)") in ("EPERM", "EINVAL")
    assert probe.refused("import os; os.setgroups([0])") == "EPERM"
    # Only root can give its groups up; of an ordinary user's, all but the own one are nobody's in the box.
    assert set(probe.run("import os; result = os.getgroups()")) <= {65534, os.getgid()} - {0}


def test_limits_cannot_be_raised_again(probe):
    names = ("AS", "CPU", "FSIZE", "NOFILE", "NPROC", "CORE")
    for name in names:
        code = f"import resource as r; r.setrlimit(r.RLIMIT_{name}, (r.RLIM_INFINITY, r.RLIM_INFINITY))"
        assert probe.refused(code) in ("ValueError", "EPERM"), name
    limits = probe.run(
        f"import resource as r; result = [list(r.getrlimit(getattr(r, 'RLIMIT_' + n))) for n in {names}]"
    )
    assert all(0 <= soft == hard < 2**40 for soft, hard in limits)


# -- the filter itself -----------------------------------------------------------------------------------


def numbers_of_system(machine: str) -> dict[str, int]:
    header = next((path for path in HEADERS[machine] if path.exists()), None)
    if header is None:
        pytest.skip(f"no header with the system calls of {machine}")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    names = {name: int(number) for name, number in found}
    return names | ({} if machine == "x86_64" else {"fcntl": names.get("fcntl", 25)})


@pytest.mark.parametrize(("machine", "column"), [("x86_64", 0), ("aarch64", 1)])
def test_system_call_numbers_are_those_of_the_kernel(seccomp, machine, column):
    system = numbers_of_system(machine)
    table = {
        **seccomp._REFUSED,
        "clone": seccomp._CLONE,
        "clone3": seccomp._CLONE3,
        "socket": seccomp._SOCKET,
        "socketpair": seccomp._SOCKETPAIR,
        "fcntl": seccomp._FCNTL,
    }
    compared = {name: pair[column] for name, pair in table.items() if name in system}
    assert compared == {name: system[name] for name in compared}
    assert len(compared) > 60  # an old header may lack the latest calls
    absent = {name for name, pair in table.items() if pair[column] is None}
    assert not absent & set(system)


def decide(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the filter answers: its instructions, run as the kernel would."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    instructions = [struct.unpack_from("<HBBI", program, at) for at in range(0, len(program), 8)]
    at, accumulator = 0, 0
    while True:
        code, if_true, if_false, value = instructions[at]
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:
            return value
        else:
            holds = {
                0x15: accumulator == value,
                0x45: bool(accumulator & value),
                0x35: accumulator >= value,
            }[code]
            at += if_true if holds else if_false


@pytest.mark.parametrize(("machine", "column"), [("x86_64", 0), ("aarch64", 1)])
def test_the_filter_refuses_its_table_and_allows_the_rest(seccomp, machine, column):
    program, architecture = seccomp.build_filter(machine), seccomp._AUDIT[machine]
    refused = {pair[column] for pair in seccomp._REFUSED.values()} - {None}
    special = {pair[column] for pair in (seccomp._CLONE, seccomp._CLONE3, seccomp._SOCKET)}
    special |= {seccomp._SOCKETPAIR[column]}
    for number in range(512):
        answer = decide(program, architecture, number)
        if number in refused:
            assert answer == EPERM_RESULT, number
        elif number not in special:
            assert answer == seccomp.ALLOW, number
    clone, socket = seccomp._CLONE[column], seccomp._SOCKET[column]
    assert decide(program, architecture, clone, 17) == EPERM_RESULT
    assert decide(program, architecture, clone, 0x003D0F00) == seccomp.ALLOW  # as pthread_create asks
    assert decide(program, architecture, seccomp._CLONE3[column]) == ENOSYS_RESULT
    for number in (socket, seccomp._SOCKETPAIR[column]):
        assert decide(program, architecture, number, 1) == seccomp.ALLOW
        assert decide(program, architecture, number, 2) == EPERM_RESULT
        assert decide(program, architecture, number, 1 | 2**32) == seccomp.ALLOW  # the kernel takes an int
    fcntl = seccomp._FCNTL[column]
    assert decide(program, architecture, fcntl, 3, 6) == EPERM_RESULT
    assert decide(program, architecture, fcntl, 3, 2) == seccomp.ALLOW
    assert decide(program, 0x40000003, 20) == seccomp.KILL_PROCESS
    assert len(program) // 8 <= 4096


def test_an_unknown_processor_is_refused(seccomp):
    with pytest.raises(seccomp.SeccompError, match="riscv64"):
        seccomp.build_filter("riscv64")
