"""`python -m grader`."""

if __name__ == "__main__":
    # Here and not above: worker processes import this module too, and need none of it.
    import sys

    from grader.cli import main

    sys.exit(main())
