"""Which version of the kit marked a result? Looked for in the repository's history, where there is one."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

from grader.limits import GIT_SECONDS
from grader.marking.marker import PACKAGE, VERDICT_SOURCES

MOST_COMMITS = 60  # of those that changed something that decides a verdict; 20 ms each
MARK_AGAIN = "mark again (make grade) and explain the new result"


def version_with(suite: str) -> str:
    """How to get the kit with the suite of this digest, as the rest of a message."""
    commit = _commit_with(suite)
    if not commit:
        return f"take the version of the kit that marked it, and run this command there; or {MARK_AGAIN}"
    return (
        f"it is that of commit {commit[:10]}; git worktree add ../kit-{commit[:10]} {commit[:10]} and run "
        f"this command there, or {MARK_AGAIN}"
    )


def _git(*arguments: str) -> bytes:
    return subprocess.run(
        ["git", "-C", str(PACKAGE.parent), *arguments], capture_output=True, timeout=GIT_SECONDS, check=True
    ).stdout


def _commit_with(suite: str) -> str:
    """The latest commit whose suite has this digest; empty where none is found."""
    sources = [f"{PACKAGE.name}/{name}" for name in VERDICT_SOURCES]
    try:
        # Not the commits alone that touch the sources: what is checked out may be no commit at all.
        log = _git("log", f"--max-count={MOST_COMMITS}", "--format=%H", "HEAD", "--", *sources)
        for commit in log.decode().split():
            if _digest(_git("archive", commit, "--", PACKAGE.name)) == suite:
                return commit
    except (OSError, subprocess.SubprocessError, tarfile.TarError):
        return ""
    return ""


def _digest(archive: bytes) -> str:
    """What `suite_digest` comes to in a version of the kit."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {
            Path(member.name).relative_to(PACKAGE.name): (tar.extractfile(member) or io.BytesIO()).read()
            for member in tar
            if member.isfile()
        }
    digest = hashlib.sha256()
    for name in VERDICT_SOURCES:
        # In the order of `suite_digest`: by path, as `Path` compares them.
        chosen = [
            path
            for path in files
            if path == Path(name) or (path.parts[0] == name and path.suffix in (".py", ".toml"))
        ]
        for path in sorted(chosen, key=lambda path: PACKAGE / path):
            digest.update(f"{path}\0".encode() + files[path] + b"\0")
    return f"sha256:{digest.hexdigest()}"
