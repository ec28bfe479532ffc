"""Run the command line: `python -m arbees` is `arbees`."""

import sys

from arbees.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
