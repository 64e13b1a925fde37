"""What goes wrong on a page in a browser: for tests in which nothing may, on any page that they visit."""

from __future__ import annotations

from typing import Any

_WRITES = ("POST", "PUT", "PATCH", "DELETE")


def watch(context: Any) -> list[str]:
    """All errors of a browser's context from now on: of scripts, on the console, of requests and answers.

    What a page was still loading when it was left is none; what it was still sending is.
    """
    errors: list[str] = []

    def failed(request: Any) -> None:
        if request.failure != "net::ERR_ABORTED" or request.method in _WRITES:
            errors.append(f"{request.method} {request.url}: {request.failure}")

    def answered(response: Any) -> None:
        if response.status >= 400:
            errors.append(f"{response.request.method} {response.url}: status {response.status}")

    def logged(message: Any) -> None:
        # That an answer has an error's status is told by the answer itself.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            errors.append(f"{message.type} on the console: {message.text}")

    context.on("weberror", lambda error: errors.append(f"on {error.page.url}: {error.error}"))
    context.on("console", logged)
    context.on("requestfailed", failed)
    context.on("response", answered)
    return errors
