"""A notebook as a page: its text, its cells, and their outputs as they were recorded."""

import json
import re

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def page(path, name):
    """Path on the site to content: the page, and a file for each figure."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    lines, files = [], {}
    for number, cell in enumerate(notebook["cells"]):
        source = "".join(cell["source"]).rstrip()
        if cell["cell_type"] == "markdown":
            lines += [source, ""]
            continue
        lines += ["```python", source, "```", ""]
        for place, output in enumerate(_joined(cell.get("outputs", []))):
            lines += _output(output, f"{name}-{number}-{place}.svg", files)
    title, rest = lines[0].split("\n", 1) if "\n" in lines[0] else (lines[0], "")
    lines[0] = f"{title}\n\n*The notebook `python/notebooks/{path.name}`, as it ran.*\n{rest}"
    files = {f"notebooks/{figure}": text for figure, text in files.items()}
    return {f"notebooks/{name}.md": "\n".join(lines), **files}


def _joined(outputs):
    """Printed lines that were recorded one by one, together."""
    joined = []
    for output in outputs:
        if output["output_type"] == "stream" and joined and joined[-1]["output_type"] == "stream":
            joined[-1]["text"] = [*joined[-1]["text"], *output["text"]]
        else:
            joined.append(dict(output))
    return joined


def _output(output, figure, files):
    if output["output_type"] == "stream":
        return ["```text", ESCAPE.sub("", "".join(output["text"])).rstrip(), "```", ""]
    data = output.get("data", {})
    if "image/svg+xml" in data:
        files[figure] = "".join(data["image/svg+xml"])
        title = "".join(data.get("text/plain", "")).split("\n")[0] or "figure"
        return [f"![{_plain(title)}]({figure})", ""]
    if "text/html" in data:
        table = re.sub(r"<style.*?</style>", "", "".join(data["text/html"]), flags=re.S)
        return ['<div class="table">' + re.sub(r"\s*\n\s*", "", table) + "</div>", ""]
    if "text/plain" in data:
        return ["```text", "".join(data["text/plain"]).rstrip(), "```", ""]
    return []


def _plain(text):
    return re.sub(r"[\[\]]", "", text)
