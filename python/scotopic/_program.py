"""The program ``scotopic`` as a console script."""

import signal
import sys

from . import _scotopic


def main():
    """Runs the program on the words of the command line and ends with its exit code."""
    # The program has its own answers to Ctrl-C (it saves what it has) and to a closed pipe.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_scotopic.program(["scotopic", *sys.argv[1:]]))
