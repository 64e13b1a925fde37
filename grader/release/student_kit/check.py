"""Runs the public tests and shows how far you are.

    python check.py                     all of them
    python check.py 1.7                 those of a question; 1.7.kld is one item of it, and 2 is part 2
    python check.py 1.7.kld --hint      says what a failure is likely to come from
    python check.py 1.7.kld --watch     again on every save, until Ctrl+C

Any Python starts it: the tests run in the environment that setup_env.py has made. The exit status is 0 when
all tests pass and the grader sees the same code, 1 otherwise, and 2 when the tests could not be run.
"""

import sys

from kit import environment

if __name__ == "__main__":
    environment.enter()
    from kit.command import main  # with the libraries of the environment

    sys.exit(main())
