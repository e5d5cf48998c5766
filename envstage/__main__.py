"""`python -m envstage`: the same as the command `envstage`."""

from envstage.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
