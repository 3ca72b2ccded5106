"""``python -m scotopic``: the program."""

from ._program import main

main()
