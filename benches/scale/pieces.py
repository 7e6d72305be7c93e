"""Real text that every machine has which builds the project: what the crates of Cargo.lock say of themselves.

    pieces.py REGISTRY LOCK OUT COUNT

Takes the README files and the documentation comments of the crates that LOCK names and REGISTRY (cargo's
`registry/src`) has, cuts them into pieces of 20 to 60 words, leaves out what was there before, and writes COUNT
pieces, one a line, in the order of their SHA-256: the same for the same lock file and platform, and mixed, so that
any first part of them is a sample. The texts are measured with and never published.
"""

import hashlib
import pathlib
import re
import sys
import tomllib

LEAST, MOST = 20, 60
COMMENT = re.compile(r"^\s*//[/!](?!/) ?(.*)$")
# Links, emphasis, headings, tables: what stands between the words.
MARKUP = [(re.compile(r"!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])?"), r"\1"), (re.compile(r"<[^>]{1,80}>"), " "),
          (re.compile(r"[`*#|>]+|https?://\S+"), " ")]


def blocks(file):
    """Paragraphs of a file, without code."""
    text = file.read_text("utf-8", errors="ignore")
    if file.suffix == ".md":
        lines = text.splitlines()
    else:
        found = (COMMENT.match(line) for line in text.splitlines())
        lines = [match.group(1) if match else "" for match in found]
    code, paragraph = False, []
    for line in [*lines, ""]:
        if line.lstrip().startswith("```"):
            code = not code
        elif line.strip() and not code:
            paragraph.append(line)
            continue
        if paragraph:
            yield " ".join(paragraph)
            paragraph = []


def words_of(paragraph):
    for pattern, instead in MARKUP:
        paragraph = pattern.sub(instead, paragraph)
    return paragraph.split()


def pieces(file):
    """Short paragraphs are put together, long ones are cut into parts of like length."""
    waiting = []
    for paragraph in blocks(file):
        waiting += words_of(paragraph)
        if len(waiting) < LEAST:
            continue
        parts = -(-len(waiting) // MOST)
        size = -(-len(waiting) // parts)
        for start in range(0, len(waiting), size):
            part = waiting[start:start + size]
            if len(part) >= LEAST and sum(word.isascii() for word in part) > len(part) / 2:
                yield " ".join(part)
        waiting = []


def folders(registry, lock):
    packages = tomllib.loads(lock.read_text("utf-8"))["package"]
    names = sorted({f"{p['name']}-{p['version']}" for p in packages if "source" in p})
    sources = sorted(registry.iterdir())
    return [source / name for name in names for source in sources if (source / name).is_dir()]


def main():
    registry, lock, out, count = (pathlib.Path(a) for a in sys.argv[1:5])
    count = int(str(count))
    found = {}
    crates = folders(registry, lock)
    for folder in crates:
        for file in sorted(f for f in folder.rglob("*") if f.suffix in (".md", ".rs") and f.is_file()):
            for piece in pieces(file):
                key = hashlib.sha256(piece.lower().encode()).digest()
                found.setdefault(key, piece)
    chosen = [found[key] for key in sorted(found)][:count]
    if len(chosen) < count:
        print(f"pieces: {len(chosen)} of the {count} that were asked for; build the project first, so that its crates"
              f" are there", file=sys.stderr)
    out.write_text("".join(piece + "\n" for piece in chosen), "utf-8")
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    print(f"{len(chosen)} of {len(found)} pieces of {len(crates)} crates, SHA-256 {digest[:16]}")


main()
