"""Turn a fork of the template into a session that can reach nothing but its wire.

Order matters: namespaces first (they give the capabilities that mounting needs), then the private
file systems, the limits, the loss of every capability, and last the system call filter.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import sys
from pathlib import Path

import seccomp

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUTS = 0x00020000, 0x08000000, 0x04000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 4096, 8192, 16384, 1 << 18

WORK = "/submission"
TMP_SIZE = "64m"  # of all that a session writes; `budget` counts it as taken
TMP_INODES = 4096
# A session's process tops at the template's size plus this: enough for batches of 128 and a manifold of
# 400 images at twice the default width, far below what would trouble a laptop.
EXTRA_MEMORY = 4 * 2**30
# Where the grader itself has less, with `ulimit -v`: right networks of six times the width still fit in.
LEAST_EXTRA_MEMORY = 2 * 2**30
CPU_SECONDS = 240
FILE_SIZE = 64 * 2**20
OPEN_FILES = 64
TASKS = 16  # threads only: the filter refuses new processes
VISIBLE_PROC = ("cpuinfo", "meminfo")  # oneDNN and cpuinfo choose their kernels by these

# Folders of torch that sessions do not show, so that nothing in them can be imported anew. The template adds
# what the assignment does not allow, before it starts the first session.
HIDDEN_PACKAGES: list[str] = []

CLONE = {"x86_64": 56, "aarch64": 220}

_libc = ctypes.CDLL(None, use_errno=True)


class IsolationError(Exception):
    """The kernel refused a step; the session must not start."""


def _check(result: int, step: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise IsolationError(f"{step}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    result = _libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode() if data else None,
    )
    _check(result, f"mount {target}")


def fork_into_namespaces() -> int:
    """Fork, with the child in user, mount, process, IPC, network and host name namespaces of its own.

    One clone call instead of unshare and two forks: copying the template's page tables is what a session
    costs. Python's own fork would run the same three hooks around the call.

    Returns:
        The child's process number in the parent, 0 in the child.

    Raises:
        IsolationError: the kernel refused.
    """
    uid, gid = os.getuid(), os.getgid()
    flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET
    python = ctypes.pythonapi  # does not let go of the interpreter lock around a call, as _libc would
    python.PyOS_BeforeFork()
    pid = int(
        python.syscall(
            CLONE[platform.machine()], ctypes.c_ulong(flags | signal.SIGCHLD), None, None, None, None
        )
    )
    if pid == 0:
        python.PyOS_AfterFork_Child()
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        return 0
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise IsolationError("clone was refused: this kernel allows no user namespaces within the box")
    return pid


def private_file_systems() -> None:
    """Fresh, sized, empty /submission, /tmp and /dev/shm; no terminals; a /proc that shows no process."""
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    options = f"size={TMP_SIZE},nr_inodes={TMP_INODES},mode=0700"
    for folder in HIDDEN_PACKAGES:
        path = str(Path(str(sys.modules["torch"].__file__)).with_name(folder))
        _mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=2")
    # A Python environment below /tmp would vanish beneath the new /tmp: it is put back where it was.
    covered = [
        prefix for prefix in dict.fromkeys((sys.base_prefix, sys.prefix)) if prefix.startswith("/tmp/")
    ]
    descriptors = [os.open(prefix, os.O_PATH) for prefix in covered]
    # One file system in three places: what lies in any of them is memory, and has one size. The last place
    # covers the folder in which all three can be seen.
    _mount("tmpfs", WORK, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)
    for name, place in (("tmp", "/tmp"), ("shared", "/dev/shm"), ("work", WORK)):
        folder = f"{WORK}/{name}"
        os.mkdir(folder, 0o700)
        _mount(folder, place, None, MS_BIND)
    for prefix, descriptor in zip(covered, descriptors, strict=True):
        os.makedirs(prefix)
        _mount(f"/proc/self/fd/{descriptor}", prefix, None, MS_BIND | MS_REC)
        os.close(descriptor)
    # A terminal opened by one session could be opened by its number in another.
    _mount("tmpfs", "/dev/pts", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=2")
    hidden = "/tmp/proc"
    os.mkdir(hidden)
    _mount("tmpfs", hidden, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,nr_inodes=16,mode=0755")
    for name in VISIBLE_PROC:
        Path(hidden, name).touch()
        _mount(f"/proc/{name}", f"{hidden}/{name}", None, MS_BIND)
    _mount(hidden, "/proc", None, MS_MOVE)
    _mount("none", "/proc", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.rmdir(hidden)


def limits() -> None:
    """Resource limits for this process and its threads: ours, or the lower ones that the grader itself has.

    Raises:
        IsolationError: with these a right submission could run out of memory.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    taken = pages * resource.getpagesize()
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    if most != resource.RLIM_INFINITY and most < taken + LEAST_EXTRA_MEMORY:
        least = -(-(taken + LEAST_EXTRA_MEMORY) // 2**20) * 1024
        raise IsolationError(
            f"the address space is limited to {most // 1024} kB, too little to mark with: "
            f"ulimit -v unlimited, or {least} at least"
        )
    for name, value in (
        (resource.RLIMIT_AS, taken + EXTRA_MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_NPROC, TASKS),
        (resource.RLIMIT_CORE, 0),
    ):
        most = resource.getrlimit(name)[1]  # root here has no right to raise it
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(name, (value, value))


def drop_privileges() -> None:
    """Become nobody where the grader runs as root: the kernel does not count root's processes."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        # A process that changed its user may not write its own /proc entries until it says so again,
        # and the user namespace of each session is set up through them.
        _libc.prctl(4, 1, 0, 0, 0)


def drop_capabilities() -> None:
    """Give up every capability that the new user namespace gave, for good."""
    drop_bounding, ambient, clear_all = 24, 47, 4
    for capability in range(64):
        if _libc.prctl(drop_bounding, capability, 0, 0, 0) != 0:
            break
    _libc.prctl(ambient, clear_all, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    empty = (ctypes.c_uint32 * 6)()
    _check(_libc.capset(ctypes.byref(header), ctypes.byref(empty)), "capset")


def close_files(keep: int) -> int:
    """Leave the wire as descriptor 3 and nothing but /dev/null besides."""
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    if keep != 3:
        os.dup2(keep, 3)
    os.closerange(4, 4096)
    return 3


def first_to_die() -> None:
    """Volunteer for the kernel's out-of-memory killer: a memory bomb must not cost the grader."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def confine() -> None:
    """Everything after the namespaces, in the order that works."""
    first_to_die()
    limits()  # reads /proc, which is about to go
    private_file_systems()
    drop_capabilities()
    seccomp.install()
