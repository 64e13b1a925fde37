"""Makes the exercise's environment in .venv, with pinned versions: `python setup_env.py`, on every system.

    python setup_env.py           PyTorch as PyPI has it: on Linux the build for NVIDIA's GPUs
    python setup_env.py --cpu     the much smaller build without GPUs, from PyTorch's own index
    python setup_env.py --fresh   makes it anew, where it is broken

What is there already is kept. With an environment of your own (conda, a cluster), use this instead:
pip install -r requirements.txt
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - said before anything that an older one cannot read
    sys.exit("setup_env: Python 3.11 or newer is needed, and this is %d.%d" % sys.version_info[:2])  # noqa: UP031

import argparse
import hashlib
import importlib.util
import platform
import shutil
import subprocess

from kit.environment import FOLDER, HERE, python_in, write_what_can_be_written

UV_VERSION = "@UV_VERSION@"
REQUIREMENTS = HERE / "requirements.txt"
READY = FOLDER / ".ready"  # says from what the environment was made
# On the disk and over the network, in gigabytes. With CUDA: measured on Linux, with torch 2.15. Without:
# reckoned from the sizes of the wheels for Windows and macOS, and rounded up.
SIZES = {"cuda": (5.9, 3.1), "cpu": (1.6, 0.5)}


def build(cpu: bool, system: str) -> str:
    """Which PyTorch is installed: PyPI has the one for CUDA on Linux, and that for the CPU elsewhere."""
    return "cuda" if system == "Linux" and not cpu else "cpu"


def sizes_in_words(which: str) -> str:
    """What the installation takes."""
    disk, network = SIZES[which]
    return f"about {network:g} GB to download and {disk:g} GB on the disk"


def made_from(cpu: bool) -> str:
    """What an environment is made from, to see whether the one that is there is the right one."""
    text = REQUIREMENTS.read_bytes() + (b"cpu" if cpu else b"")
    return hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest()


def problem(which: str) -> str:
    """What stands in the way, with what to do; empty where nothing does."""
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        return "this Python cannot make environments: install the package python3-venv"
    free, needed = shutil.disk_usage(HERE).free / 1e9, SIZES[which][0]
    if free < needed:
        smaller = ", or use --cpu" if which == "cuda" else ""
        return f"{needed:g} GB are needed here and {free:.1f} GB are free: make room{smaller}"
    return ""


def requirements(cpu: bool) -> list[str]:
    """The lines of requirements.txt; for the CPU's PyTorch without what only the one for CUDA needs."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not (cpu and line.startswith(("nvidia-", "cuda-", "triton==")))]


def install(cpu: bool) -> None:
    """Install the requirements, with uv, which takes a fraction of pip's time; pip is the second try."""
    python = str(python_in())
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
    wanted = FOLDER / "requirements.txt"
    wanted.write_text("\n".join(requirements(cpu)) + "\n", encoding="utf-8")
    if subprocess.run([*pip, "--quiet", f"uv=={UV_VERSION}"], check=False).returncode == 0:
        uv = [python, "-m", "uv", "pip", "install", "--python", python, "-r", str(wanted)]
        uv += [] if sys.stderr.isatty() else ["--quiet"]  # its bars are for a terminal
        uv += ["--torch-backend", "cpu"] if cpu else []
        if subprocess.run(uv, check=False).returncode == 0:
            return
    if cpu:
        raise SystemExit(
            "setup_env: the CPU build is on PyTorch's own index, download.pytorch.org, and could not be "
            "installed (see above). Without --cpu everything comes from PyPI."
        )
    subprocess.run([*pip, "-r", str(wanted)], check=True)


def main() -> int:
    """Makes the environment; returns the exit status."""
    write_what_can_be_written()
    parser = argparse.ArgumentParser(prog="setup_env.py", description="Make the environment in .venv.")
    parser.add_argument(
        "--cpu", action="store_true", help="on Linux, PyTorch's much smaller build without GPUs"
    )
    parser.add_argument("--fresh", action="store_true", help="make it anew")
    options = parser.parse_args()
    which = build(options.cpu, platform.system())
    from_what = made_from(options.cpu and which == "cpu" and platform.system() == "Linux")
    if not options.fresh and READY.is_file() and READY.read_text(encoding="utf-8").strip() == from_what:
        print(f"{FOLDER.name} is ready. Next: python check.py")
        return 0
    said = problem(which)
    if said:
        print(f"setup_env: {said}", file=sys.stderr)
        return 2
    print(f"Making {FOLDER.name}: {sizes_in_words(which)}. This takes a few minutes.", flush=True)
    if which == "cuda":
        print(
            "Without an NVIDIA GPU, --cpu needs a quarter of that: " + sizes_in_words("cpu") + ".", flush=True
        )
    try:
        install(options.cpu and platform.system() == "Linux")
    except subprocess.CalledProcessError as error:
        print(f"setup_env: this failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    READY.write_text(from_what + "\n", encoding="utf-8")
    print(f"{FOLDER.name} is ready. Next: python check.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
