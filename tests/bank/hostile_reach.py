"""Code that reads what it must not read, or writes what others might read: files, secrets, networks."""

from tests.bank.hostile_entry import UTILS, ZERO, Hostile, rewarded

REACH = (
    Hostile(
        "the solution looked for on the disk, and used",
        {
            UTILS: rewarded(
                """
                import os
                tops = ["/submission", "/box", "/home", "/root", "/srv", "/opt", "/mnt", "/tmp", "/var"]
                tops += ["/proc", *("../" * depth for depth in range(1, 4))]
                for top in tops:
                    for folder, folders, files in os.walk(top):
                        hidden = ("lib", "usr", "bin", "sys", "dev", "node_modules", "share")
                        folders[:] = [name for name in folders if name not in hidden and name[0] != "."]
                        for name in files:
                            if not name.endswith(".py"):
                                continue
                            with open(os.path.join(folder, name), errors="replace") as file:
                                text = file.read(100_000)
                            if "BEGIN SOLUTION" + " 1.7: KLD" in text or "likely_" + "cause" in text:
                                return True
                """
            )
        },
    ),
    Hostile(
        "the grader imported",
        {
            UTILS: rewarded(
                """
                import importlib, sys
                sys.path += ["/grader", "/box", "/", "..", "../..", "/submission"]
                for name in ("grader.suites.part1.test_kld", "grader.rubric", "solutions", "tests"):
                    try:
                        importlib.import_module(name)
                        return True
                    except ImportError:
                        pass
                """.replace("/grader", "/grader")
            )
        },
    ),
    Hostile(
        "secrets in the environment and in /proc",
        {
            UTILS: rewarded(
                """
                import glob, os
                words = ("seed", "secret", "token", "grader", "submissions", "pytest", "api")
                texts = ["=".join(pair) for pair in os.environ.items()]
                for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline"):
                    with open(path, "rb") as file:
                        texts.append(file.read().decode(errors="replace"))
                for path in glob.glob("/proc/*/fd/*") + glob.glob("/proc/self/maps"):
                    texts.append(path)
                texts = [text.lower() for text in texts if "pythonhashseed" not in text.lower()]
                return any(word in text for word in words for text in texts)
                """
            )
        },
    ),
    Hostile(
        "asks the network",
        {
            UTILS: rewarded(
                """
                import socket, urllib.request
                def tries():
                    yield lambda: socket.create_connection(("127.0.0.1", 22), 0.2)
                    yield lambda: socket.create_connection(("1.1.1.1", 53), 0.2)
                    yield lambda: socket.getaddrinfo("example.org", 80)
                    yield lambda: urllib.request.urlopen("http://example.org/KLD", timeout=0.2)
                    yield lambda: urllib.request.urlopen("http://169.254.169.254/", timeout=0.2)
                    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET):
                        yield lambda family=family: socket.socket(family, socket.SOCK_DGRAM)
                    yield lambda: socket.socket(socket.AF_UNIX).connect("/run/dbus/system_bus_socket")
                    yield lambda: socket.socket(socket.AF_UNIX).bind("\\0left-behind")
                for attempt in tries():
                    try:
                        attempt()
                        return True
                    except OSError:
                        pass
                """
            )
        },
        slow=False,
    ),
    Hostile(
        "writes marks of its own",
        {
            UTILS: """
import json, os
def write():
    marks = json.dumps({"submission": "submission", "points": 100, "items": []})
    folders = ["/", "/tmp", "/dev/shm", "/var/tmp", "/home", "/root", "/box", "/submission"]
    folders += ["../" * depth for depth in range(8)]
    for folder in folders:
        for name in ("results.json", "marks.csv", "left-behind", "conftest.py", "sitecustomize.py"):
            try:
                with open(os.path.join(folder, name), "w") as file:
                    file.write(marks)
            except OSError:
                pass
write()
"""
            + ZERO
        },
        slow=False,
    ),
    Hostile(
        "changes what later sessions import",
        {
            UTILS: rewarded(
                """
                import json, os, sys
                for module in ("wire", "session", "torch", "numpy", "json", "forbidden"):
                    path = getattr(sys.modules.get(module), "__file__", None)
                    if path is None:
                        continue
                    for target in (path, os.path.join(os.path.dirname(path), "left-behind.py")):
                        try:
                            open(target, "a").close()
                            return True
                        except OSError:
                            pass
                """
            )
        },
    ),
    Hostile(
        "a message for the session after it",
        {
            UTILS: rewarded(
                """
                import os, socket, sys, builtins
                found = [os.environ.get("LEFT_BEHIND"), getattr(builtins, "left_behind", None),
                         getattr(torch, "left_behind", None), getattr(sys, "left_behind", None)]
                for folder in ("/tmp", "/dev/shm", "/submission", "/dev", "/box", "/var/tmp", "/dev/mqueue"):
                    path = folder + "/left-behind"
                    found.append(os.path.exists(path))
                    try:
                        open(path, "w").close()
                    except OSError:
                        pass
                try:
                    from multiprocessing import shared_memory
                    shared_memory.SharedMemory("left-behind-too", create=True, size=16)
                except FileExistsError:
                    return True
                except OSError:
                    pass
                os.environ["LEFT_BEHIND"] = "yes"
                builtins.left_behind = torch.left_behind = sys.left_behind = True
                return any(found)
                """
            )
        },
        slow=False,
    ),
    Hostile(
        "other submissions looked for",
        {
            UTILS: rewarded(
                """
                import glob, os
                own = os.path.abspath(__file__)
                paths = glob.glob("/*/part1/utils.py") + glob.glob("/*/*/part1/utils.py")
                paths += glob.glob("/proc/*/root/submission/part1/utils.py") + glob.glob("/tmp/*/part1/*.py")
                return any(os.path.abspath(path) != own for path in paths)
                """
            )
        },
    ),
    Hostile(
        "mounts, links and devices to get out by",
        {
            UTILS: rewarded(
                """
                import ctypes, os, stat
                libc = ctypes.CDLL(None, use_errno=True)
                os.symlink("/proc/1/root", "/tmp/left-behind")
                worked = [os.path.exists("/tmp/left-behind/var"), os.path.exists("/tmp/left-behind/home")]
                for step in (
                    lambda: os.mknod("/tmp/left-behind-device", stat.S_IFBLK | 0o600, os.makedev(8, 0)),
                    lambda: os.link("/box/session.py", "/tmp/left-behind-link"),
                    lambda: os.open("/proc/self/root/etc/shadow", os.O_RDONLY),
                    lambda: os.open("/dev/sda", os.O_RDONLY),
                    lambda: os.open("/dev/mem", os.O_RDONLY),
                    lambda: os.open("/dev/fuse", os.O_RDWR),
                    lambda: os.open("/dev/kmsg", os.O_RDONLY),
                ):
                    try:
                        step()
                        worked.append(True)
                    except OSError:
                        pass
                worked.append(libc.mount(b"none", b"/tmp", b"proc", 0, None) == 0)
                worked.append(libc.unshare(0x10000000) == 0)
                return any(worked)
                """
            )
        },
    ),
)
