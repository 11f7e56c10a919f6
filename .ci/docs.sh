#!/bin/bash
# Builds the guides of all modules into one static site: .ci/docs.sh
#   .build/docs/        the site; any web server can serve it
#   .build/docs-input/  one DocC catalog with copies of all guides
# The guides link to each other by file path, for the web view of a repository. The copies have links of DocC instead.
set -euo pipefail
cd "$(dirname "$0")/.."
docc=$(command -v docc || echo "$(dirname "$(readlink -f "$(command -v swift)")")/docc")
[ -x "$docc" ] || { echo "docs: docc is missing in the folder of swift; it is part of the Swift toolchain" >&2; exit 1; }
rm -rf .build/docs .build/docs-input
mkdir -p .build/docs-input/Carillon.docc
python3 - <<'P'
import re
from pathlib import Path

ROOT = Path(".").resolve()
OUTPUT = Path(".build/docs-input/Carillon.docc")
# The pages of the site, by their source files.
pages = {path.resolve(): path.stem for path in sorted(Path("Sources").glob("*/*.docc/*.md")) if path.stem != path.parent.stem}
pages |= {
    Path("deploy/METRICS.md").resolve(): "Metrics",
    Path("proto/README.md").resolve(): "Protocol",
    Path("Tests/Benchmarks/README.md").resolve(): "Benchmarks",
    Path("CHANGELOG.md").resolve(): "Changelog",
}
root = Path("README.md").resolve()
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
CODE = re.compile(r"^(```+)[^\n]*\n.*?^\1[ \t]*$|(?<!`)(`+)(?!`).+?(?<!`)\2(?!`)", re.MULTILINE | re.DOTALL)


def fragment(path, anchor):
    """The DocC anchor of the heading with this anchor in a repository's web view."""
    for title in re.findall(r"^#{2,6}[ \t]+(.+)$", path.read_text(), re.MULTILINE):
        title = title.replace("`", "")
        if re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") == anchor:
            return "#" + re.sub(r"['\"]", "", title).replace(" ", "-")
    raise SystemExit(f"docs: {path} has no heading for #{anchor}")


def rewritten(source, match):
    mark, text, target = match.groups()
    if re.match(r"[a-z]+:", target):
        return match.group()
    name, _, anchor = target.partition("#")
    file = (source.parent / name).resolve() if name else source
    if mark:
        (OUTPUT / file.name).write_bytes(file.read_bytes())
        return f"![{text}]({file.name})"
    if file not in pages and file != root:
        return f"{text} (`{file.relative_to(ROOT)}`)"
    page = "" if file == source else "Carillon" if file == root else pages[file]
    return f"[{text}](doc:{page}{fragment(file, anchor) if anchor else ''})"


def converted(source):
    text, parts, end = source.read_text(), [], 0
    for code in CODE.finditer(text):
        parts += [LINK.sub(lambda m: rewritten(source, m), text[end:code.start()]), code.group()]
        end = code.end()
    return "".join(parts) + LINK.sub(lambda m: rewritten(source, m), text[end:])


for source, name in pages.items():
    # Links to symbols: the site has no symbols.
    (OUTPUT / f"{name}.md").write_text(re.sub(r"(?<!`)``(?!`)([^`\n]+)``(?!`)", r"`\1`", converted(source)))
title, text = converted(root).split("\n", 1)
topics = "".join(f"- <doc:{name}>\n" for name in pages.values())
metadata = "\n@Metadata {\n    @TechnologyRoot\n}\n"
(OUTPUT / "Carillon.md").write_text(f"{title}\n{metadata}{text}\n## Topics\n\n### All guides\n\n{topics}")
P
"$docc" convert --warnings-as-errors .build/docs-input/Carillon.docc --output-path .build/docs --transform-for-static-hosting \
    --fallback-display-name Carillon --fallback-bundle-identifier carillon
echo "docs: .build/docs/; try: python3 -m http.server --directory .build/docs 8080, then http://127.0.0.1:8080/documentation/carillon"
