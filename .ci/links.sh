#!/bin/bash
# Checks the documentation: every relative link must lead to a file, every anchor to a heading, and every <doc:…> to an article,
# and the README must be short: .ci/links.sh [FILE.md …] (by default all Markdown files of the repository)
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 - "$@" <<'P'
import re, subprocess, sys, unicodedata
from pathlib import Path
from urllib.parse import unquote

README_BYTES = 10_240
ROOT = Path(".").resolve()


def markdown_files():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    return [Path(name) for name in listed if Path(name).exists()]


def blanked(text):
    """The text with code replaced by spaces, so that positions stay."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())

    text = re.sub(r"^(```+|~~~+)[^\n]*\n.*?^\1[ \t]*$", blank, text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!--.*?-->", blank, text, flags=re.DOTALL)
    return re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", blank, text)


def headings(path):
    """The anchors of a file, as web views of repositories generate them"""
    anchors, counts = set(), {}
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^(```+|~~~+)[^\n]*\n.*?^\1[ \t]*$", "", text, flags=re.MULTILINE | re.DOTALL)
    for title in re.findall(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$", text, flags=re.MULTILINE):
        title = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", title)
        slug = "".join(
            c for c in title.lower() if c in "-_ " or unicodedata.category(c)[0] in "LN" or unicodedata.category(c) == "Mn"
        ).replace(" ", "-")
        count = counts.get(slug, 0)
        counts[slug] = count + 1
        anchors.add(slug if count == 0 else f"{slug}-{count}")
    for name in re.findall(r"<a\s+(?:id|name)=\"([^\"]+)\"", text):
        anchors.add(name.lower())
    return anchors


LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)", re.MULTILINE)
SOURCE = re.compile(r"<(?:img|a)\s[^>]*?(?:src|href)=\"([^\"]+)\"")
ARTICLE = re.compile(r"<doc:([^>\s]+)>")


def check(path, articles):
    text = blanked(path.read_text(encoding="utf-8"))
    problems = []

    def problem(match, message):
        line = text.count("\n", 0, match.start()) + 1
        problems.append(f"{path}:{line}: {message}")

    matches = [m for pattern in (LINK, REFERENCE, SOURCE) for m in pattern.finditer(text)]
    for match in matches:
        target = match.group(1)
        if re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
            continue
        name, _, anchor = target.partition("#")
        if name.startswith("/"):
            problem(match, f"{target} begins with /; write a path from this file's folder")
            continue
        file = (path.parent / unquote(name)).resolve() if name else path.resolve()
        if not file.is_relative_to(ROOT) or not file.exists():
            problem(match, f"{target} does not exist")
        elif anchor:
            if file.suffix != ".md":
                problem(match, f"{target} has an anchor, but is not Markdown")
            elif unquote(anchor) not in headings(file):
                known = ", ".join(sorted(headings(file)))
                problem(match, f"{target}: unknown heading; the headings are {known}")
    for match in ARTICLE.finditer(text):
        name = match.group(1).split("#")[0].split("/")[-1]
        if name not in articles:
            problem(match, f"<doc:{match.group(1)}> is not an article; the articles are {', '.join(sorted(articles))}")
    return problems


files = [Path(name) for name in sys.argv[1:]] or markdown_files()
articles = {path.stem for path in markdown_files() if path.parent.suffix == ".docc"}
problems = [problem for path in files for problem in check(path, articles)]
for path in files:
    size = path.stat().st_size
    if path == Path("README.md") and size > README_BYTES:
        problems.append(f"README.md has {size} bytes; at most {README_BYTES} are allowed. Details belong in the guides")
print("\n".join(problems + [f"links: {len(files)} files, {len(problems)} problems"]))
sys.exit(1 if problems else 0)
P
