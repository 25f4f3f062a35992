"""The command line: ``gazecode --help``.

Exit status: 0 done; 1 bad data (one line says what was found, expected, and what to do);
2 wrong usage; 3 finished, but some recordings, trials or sources failed (named in
``failures.csv``).
"""

import os
import sys
from importlib import import_module

from gazecode.commands.shell import app, one_line
from gazecode.errors import GazecodeError

__all__ = ["app", "main"]

# Each module adds its commands to the program; the order is that of `--help`.
for _module in ("studies", "recordings", "priors", "corpora", "files"):
    import_module(f"gazecode.commands.{_module}")


def main() -> None:
    """Entry point: one line for an expected error, a traceback only when asked for."""
    try:
        app()
    except (GazecodeError, OSError) as error:
        if os.environ.get("GAZECODE_DEBUG"):
            raise
        print(f"error: {one_line(error)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted; `gazecode run ... --resume` goes on from here", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
