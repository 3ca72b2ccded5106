"""The Python of the documents runs as it stands there, from the first block of a page to its last."""

import pathlib
import re

import pytest

from scotopic import _scotopic

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ["README.md", "python/README.md", "docs/python.md", "docs/inputs.md", "docs/autoregressions.md", "docs/plds.md"]
PAGES += [f"docs/start/{name}.md" for name in ("neuroscientist", "series", "ml")]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)


@pytest.mark.parametrize("page", PAGES)
def test_runs(page, monkeypatch, tmp_path):
    path = ROOT / page
    if not path.exists():
        pytest.skip("the tests are not in a checkout")
    text = path.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert blocks, "the page has lost its Python"
    # Paths on the pages are those of a checkout, in which nothing is to be written.
    for folder in ("examples", "checkpoints", "docs", "data"):
        if (ROOT / folder).exists():
            (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "documents"}
    for block in blocks:
        if "joblib" in block:
            # Runs in test_statistics.py, where the names that it takes from elsewhere are made.
            continue
        if "scotopic.train" in block and not hasattr(_scotopic, "Network"):
            continue  # built without the feature `vision`
        exec(compile(block, page, "exec"), names)
