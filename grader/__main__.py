"""`python -m grader`."""

if __name__ == "__main__":
    # Here and not above: worker processes import this module too, and need none of it.
    import sys

    from grader.errors import GraderUsageError

    try:
        from grader.cli import main  # which files students write is known from the rubric
    except GraderUsageError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(main())
