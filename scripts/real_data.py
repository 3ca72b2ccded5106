#!/usr/bin/env python3
"""Runs the commands of docs/real-data.md, compares what they print with the page, and draws its figures anew.

    scripts/real_data.py [PROGRAM]           # says where the page differs; exit status 1 if it does
    scripts/real_data.py [PROGRAM] --write   # writes what was printed into the page, and the figures into docs/images
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/real-data.md"
BLOCK = re.compile(r"```sh\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.S)


def main():
    write = "--write" in sys.argv
    given = [argument for argument in sys.argv[1:] if argument != "--write"]
    program = shutil.which(given[0] if given else "scotopic")
    if program is None:
        sys.exit("no program: name it, or put scotopic on the path")
    page, differs = PAGE.read_text(), False
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        folder = pathlib.Path(folder)
        (folder / "bin").mkdir()
        (folder / "bin/scotopic").symlink_to(pathlib.Path(program).resolve())
        path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "M": "../examples/series"}
        for block in BLOCK.finditer(page):
            command, expected = block.groups()
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, capture_output=True, text=True
            )
            if done.returncode:
                sys.exit(f"{command}\n{done.stderr}")
            if expected is not None and done.stdout != expected:
                differs = True
                print(f"{command}prints\n{done.stdout}and the page has\n{expected}")
                page = page.replace(block.group(0), block.group(0).replace(expected, done.stdout))
        compared = folder / "nile-compared"
        if compared.is_dir():
            (compared / "models.svg").rename(folder / "nile-compared.svg")
        for name in re.findall(r"images/([\w.-]+)", page):
            if not (folder / name).is_file():
                sys.exit(f"no command of the page draws {name}")
            if write:
                shutil.copy(folder / name, ROOT / "docs/images" / name)
    if write:
        PAGE.write_text(page)
    sys.exit(differs and not write)


if __name__ == "__main__":
    main()
