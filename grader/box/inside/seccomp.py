"""The system calls that a session may not make, as a seccomp filter.

Everything that reaches other processes, makes namespaces or processes, mounts, talks to a network
or widens the kernel's attack surface is refused; the rest of the containment (namespaces, read-only
file systems, limits) stands without this filter, and this filter stands without the rest.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
ERRNO = 0x00050000

_LOAD_WORD, _JUMP_EQUAL, _JUMP_ANY_BIT, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24

CLONE_THREAD = 0x00010000
AF_UNIX = 1

# Names and numbers per architecture: x86_64 first, then aarch64 (None: the call does not exist there).
_REFUSED = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "personality": (135, 92),
    "syslog": (103, 116),
    "clock_settime": (227, 112),
    "settimeofday": (164, 170),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "statmount": (457, 457),
    "listmount": (458, 458),
    # Memory that neither the limit on the address space nor the size of a file system counts.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    # Two sessions share the kernel and the read-only files. These would let one tell the other things:
    # by a socket's address, a lock or a watch on a shared file, or which of its pages are in memory.
    "bind": (49, 200),
    "connect": (42, 203),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "flock": (73, 32),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "preadv2": (327, 286),
    "mincore": (27, 232),
    "cachestat": (451, 451),
}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_SOCKET, _SOCKETPAIR, _FCNTL = (41, 198), (53, 199), (72, 25)
# F_GETLK, F_SETLK, F_SETLKW, their OFD variants, F_SETLEASE and F_NOTIFY: see flock above.
_FILE_LOCKS = (5, 6, 7, 36, 37, 38, 1024, 1026)
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000


class SeccompError(Exception):
    """The filter could not be put in place."""


def _statement(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def build_filter(machine: str) -> bytes:
    """The filter as BPF instructions for this architecture.

    Raises:
        SeccompError: the architecture is not known here.
    """
    if machine not in _AUDIT:
        raise SeccompError(f"no system call table for {machine}")
    column = 0 if machine == "x86_64" else 1
    refuse = _statement(_RETURN, ERRNO | errno.EPERM)
    allow = _statement(_RETURN, ALLOW)
    program = [
        _statement(_LOAD_WORD, _ARCHITECTURE),
        _statement(_JUMP_EQUAL, _AUDIT[machine], 1, 0),
        _statement(_RETURN, KILL_PROCESS),
        _statement(_LOAD_WORD, _NUMBER),
    ]
    if machine == "x86_64":  # the x32 calls share the architecture and would walk round the numbers below
        program += [_statement(_JUMP_GREATER_EQUAL, X32_BIT, 0, 1), refuse]
    for numbers in _REFUSED.values():
        number = numbers[column]
        if number is not None:
            program += [_statement(_JUMP_EQUAL, number, 0, 1), refuse]
    # clone3 passes its flags by pointer, which a filter cannot read: "not there" makes libc use clone.
    program += [
        _statement(_JUMP_EQUAL, _CLONE3[column], 0, 1),
        _statement(_RETURN, ERRNO | errno.ENOSYS),
    ]
    # clone makes threads, but no processes: nothing outlives the session's one process.
    program += [
        _statement(_JUMP_EQUAL, _CLONE[column], 0, 4),
        _statement(_LOAD_WORD, _FIRST_ARGUMENT),
        _statement(_JUMP_ANY_BIT, CLONE_THREAD, 0, 1),
        allow,
        refuse,
    ]
    # Sockets of the local kind only: refusing every one would break what merely makes a socket pair.
    for numbers in (_SOCKET, _SOCKETPAIR):
        program += [
            _statement(_JUMP_EQUAL, numbers[column], 0, 4),
            _statement(_LOAD_WORD, _FIRST_ARGUMENT),
            _statement(_JUMP_EQUAL, AF_UNIX, 0, 1),
            allow,
            refuse,
        ]
    locks = [part for lock in _FILE_LOCKS for part in (_statement(_JUMP_EQUAL, lock, 0, 1), refuse)]
    program += [
        _statement(_JUMP_EQUAL, _FCNTL[column], 0, len(locks) + 2),
        _statement(_LOAD_WORD, _SECOND_ARGUMENT),
        *locks,
        allow,
    ]
    program.append(allow)
    return b"".join(program)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def install() -> None:
    """Put the filter on this process, for good.

    Raises:
        SeccompError: the kernel refused.
    """
    instructions = build_filter(platform.machine())
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    program = _Program(len(instructions) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    set_no_new_privileges, set_seccomp, mode_filter = 38, 22, 2
    if libc.prctl(set_no_new_privileges, 1, 0, 0, 0) != 0:
        raise SeccompError("no_new_privs was refused")
    if libc.prctl(set_seccomp, mode_filter, ctypes.byref(program), 0, 0) != 0:
        raise SeccompError(f"seccomp was refused: errno {ctypes.get_errno()}")
