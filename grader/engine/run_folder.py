"""A folder that only this account can read, for the keys of a run on a cluster and the logs of its jobs.

Jobs on other machines read the keys there, so it has to lie on a disk that they share: below the home folder,
or where dask-jobqueue's configuration says.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import GraderFault
from grader.text import printable

if TYPE_CHECKING:
    from distributed import Security

PREFIX = "grader-run-"
KEY, CERTIFICATE, LOCK, LOGS = "key.pem", "certificate.pem", "lock", "logs"
ELSEWHERE = "set jobqueue.slurm.shared-temp-directory in ~/.config/dask/jobqueue.yaml to a folder that can"


class RunFolder:
    """A new folder for one run; what killed runs have left beside it is removed.

    Args:
        base: the folder to make it in; created where it is missing.

    Attributes:
        path: the folder.
        logs: a folder in it for the jobs.

    Raises:
        GraderFault: it cannot be made, or cannot be kept from others.
    """

    def __init__(self, base: Path) -> None:
        shown = printable(str(base))
        try:
            base.mkdir(mode=0o700, parents=True, exist_ok=True)
            _remove_left(base)
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
            self.logs = self.path / LOGS
            self.logs.mkdir(mode=0o700)
            self._lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise GraderFault(
                f"--slurm: the keys of the run cannot be kept in {shown}: {error.strerror}; {ELSEWHERE}"
            ) from error
        if stat.S_IMODE(self.path.stat().st_mode) & 0o077:
            self.close()
            raise GraderFault(
                f"--slurm: {shown}: what is written there can be read by others, and the keys of a run must "
                f"not; {ELSEWHERE} hold private files"
            )

    def security(self) -> Security:
        """New keys, in files of this folder, for scheduler, workers and client; nobody else gets an answer.

        Raises:
            GraderFault: the package cryptography is missing.
        """
        from distributed import Security

        try:
            made = Security.temporary()
        except ImportError as error:
            raise GraderFault(
                "--slurm encrypts its connections, which needs the package cryptography: "
                "pip install cryptography, in the environment of the grader"
            ) from error
        key, certificate = str(self.path / KEY), str(self.path / CERTIFICATE)
        _write(key, made.tls_scheduler_key)
        _write(certificate, made.tls_scheduler_cert)
        roles = {f"tls_{role}_key": key for role in ("client", "scheduler", "worker")}
        roles |= {f"tls_{role}_cert": certificate for role in ("client", "scheduler", "worker")}
        return Security(require_encryption=True, tls_ca_file=certificate, **roles)

    def close(self, keep_logs: bool = False) -> None:
        """Remove the keys and, unless somebody is to read them, the logs."""
        for name in (KEY, CERTIFICATE):
            (self.path / name).unlink(missing_ok=True)
        os.close(self._lock)
        if not keep_logs:
            shutil.rmtree(self.path, ignore_errors=True)


def _write(path: str, content: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(content)


def _remove_left(base: Path) -> None:
    """Remove the folders of runs that have ended: their lock can be had."""
    for path in base.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if path.lstat().st_uid != os.getuid():
                continue
            with open(path / LOCK, "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
