"""The figures as Markdown: `table.py RESULTS DATA README`.

Writes what the results have between the two marks of README, and says of every goal whether it is met, missed or not
measured. The rest of README stays as it is. The exit status is 0 either way: a slow machine is no failure.
"""

import json
import pathlib
import platform
import subprocess
import sys

BEGIN, END = "<!-- figures -->\n", "<!-- end of the figures -->\n"
OURS = "HiRAG Studio"


class Results:
    def __init__(self, folder):
        self.folder = folder

    def get(self, kind, data=None, count=None):
        name = kind if data is None else f"{kind}-{data}-{count}"
        file = self.folder / f"{name}.json"
        return json.loads(file.read_text()) if file.exists() else None

    def sets(self):
        """Each data set and size, real texts first, then by size."""
        names = {file.stem.split("-", 1)[1] for file in self.folder.glob("*-*-*.json")}
        found = [(name.rsplit("-", 1)[0], int(name.rsplit("-", 1)[1])) for name in names if name.split("-")[-1].isdigit()]
        return sorted(found, key=lambda one: (one[0] != "real", one[1]))


def number(value, digits=3):
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in row) + " |\n" for row in lines) + "\n"


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    flags = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "").split()
    simd = [flag for flag in ("avx2", "avx512f", "avx512_vpopcntdq") if flag in flags] or ["no AVX2"]
    cores = subprocess.run(["nproc"], capture_output=True, text=True).stdout.strip()
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal")) / 1024 / 1024
    return f"{cpu}, {cores} cores, {', '.join(simd)}, {memory:.0f} GiB of memory, {platform.system()} {platform.release()}"


def side(compared, name):
    return next((s for s in compared["sides"] if s["name"] == name), None) if compared else None


def compared(results):
    text = ""
    for data, count in results.sets():
        figures = results.get("compare", data, count)
        if figures is None:
            continue
        ours = side(figures, OURS)
        text += f"#### {count:,} contexts, {data}, {figures['queries']} queries\n\n"
        rows = []
        for one in figures["sides"]:
            ms = one["ms"]
            fill = results.get("fill", data, count) if one is ours else None
            rate = fill["contexts_per_s"] if fill else one.get("inserts_per_s")
            index = "none" if one is ours or one.get("index_s", 0) < 0.01 else f"{one['index_s']:.1f} s"
            if one["name"] == "usearch":
                index = "in the insert"
            held = one["held"]["rss_bytes"] / 1e6
            rows.append([one["name"], *(number(ms[p]) for p in ("p50", "p95", "p99")), f"{ms['p50'] / ours['ms']['p50']:.2f}",
                         f"{one['recall_at_10']:.3f}", number(rate), index, number(held)])
        text += table(["vector stage", "p50 ms", "p95 ms", "p99 ms", "p50 / ours", "recall@10", "inserts/s",
                       "index build", "process MB"], rows)
    return text


def whole(results):
    rows, filters, loads = [], [], []
    for data, count in results.sets():
        name = f"{count:,} {data}"
        found, filled = results.get("retrievals", data, count), results.get("fill", data, count)
        if found:
            ms, held = found["whole_ms"], found["held"]
            rows.append([name, *(number(ms[p]) for p in ("p50", "p95", "p99")), number(found["common_words_ms"]["p95"]),
                         number(found["first_answer_ms"]), number(held["anonymous_bytes"] / 1e6),
                         number(filled["disk_ratio"]) if filled else "–",
                         number(filled["contexts_per_s"]) if filled else "–"])
        vectors = results.get("vectors", data, count)
        if vectors and count >= 100_000:
            base = vectors["filters"][0]["ms"]["p50"]
            of = {row["share"]: row["ms"]["p50"] for row in found["filters"]} if found else {}
            for row in vectors["filters"]:
                retrieval = of.get(row["share"], found["whole_ms"]["p50"] if found and row["share"] == "100 %" else None)
                filters.append([name, row["share"], f"{row['passing']:,}", "yes" if row["exact_count"] else "NO",
                                number(row["ms"]["p50"]), f"{row['ms']['p50'] / base:.2f}", number(retrieval),
                                f"{retrieval / found['whole_ms']['p50']:.2f}" if retrieval else "–"])
        load = results.get("load", data, count)
        if load:
            alone, beside = load["alone"], load["beside_a_writer"]
            singles = ", ".join(f"{s['writers']}: {number(s['stores_per_s'])}" for s in load["single_stores"])
            loads.append([name, number(alone["searches_per_s"]), number(beside["searches_per_s"]),
                          f"{beside['searches_per_s'] / alone['searches_per_s']:.0%}",
                          f"{number(beside['ms']['p50'])} / {number(beside['ms']['p99'])}",
                          number(load["writer_contexts_per_s"]), singles])
    text = "#### Whole retrievals, memory, disk, writes\n\n" + table(
        ["contexts", "p50 ms", "p95 ms", "p99 ms", "common words p95 ms", "opening to first answer ms",
         "memory MB", "disk / raw", "batched writes/s"], rows)
    text += "#### Filters, p50\n\n" + table(
        ["contexts", "passes", "contexts that do", "exact count", "vector stage ms", "× unfiltered", "whole ms", "× unfiltered"],
        filters)
    text += "#### Eight readers, and single acknowledged stores\n\n" + table(
        ["contexts", "searches/s alone", "beside a writer", "share kept", "p50 / p99 ms beside it", "its contexts/s",
         "writers: stores/s"], loads)
    return text


def notes(results):
    found = results.get("notes")
    if not found:
        return ""
    rows = [[f"{found['notes']:,}", number(found["seconds"]), number(found["notes_per_s"]), number(found["again_seconds"])]]
    return "#### Importing Markdown notes, the model left out\n\n" + table(
        ["notes", "s", "notes/s", "again, nothing changed: s"], rows)


def forward(results):
    ours, theirs = results.get("forward-ours"), results.get("forward-onnxruntime")
    if not (ours and theirs):
        return ""
    rows = [[name, *(number(one["single_ms"][p]) for p in ("p50", "p95", "p99")), number(one["texts_per_s"])]
            for name, one in ((OURS, ours), ("onnxruntime", theirs))]
    rows.append(["ours / onnxruntime", *(number(ours["single_ms"][p] / theirs["single_ms"][p]) for p in ("p50", "p95", "p99")),
                 number(ours["texts_per_s"] / theirs["texts_per_s"])])
    return "#### The model's forward pass, 2 threads\n\n" + table(
        ["", "one text p50 ms", "p95 ms", "p99 ms", "texts/s, batches of 32"], rows)


def goals(results):
    """Each goal, what was measured, and whether that is enough."""
    sets = results.sets()
    real = max((count for data, count in sets if data == "real"), default=None)
    rows = []

    def goal(what, value, enough, shown=None):
        state = "not measured" if value is None else "met" if enough(value) else "**missed**"
        rows.append([what, "–" if value is None else shown or number(value), state])

    def ratio(a, b):
        return a / b if a is not None and b else None

    def at(figures, *keys):
        for key in keys:
            figures = None if figures is None else figures.get(key)
        return figures

    for data, count in [("real", real), ("mixture", 100_000)]:
        figures = results.get("compare", data, count)
        ours, qdrant = side(figures, OURS), side(figures, "qdrant-edge")
        name = f"{count or 100_000:,} {data}"
        goal(f"vector stage p50 ≤ qdrant-edge's HNSW ({name}), as a ratio", ratio(at(ours, "ms", "p50"), at(qdrant, "ms", "p50")),
             lambda v: v <= 1)
        goal(f"recall@10 ≥ 0.99 ({name})", at(ours, "recall_at_10"), lambda v: v >= 0.99)
    million = side(results.get("compare", "mixture", 1_000_000), OURS)
    found, filled = results.get("retrievals", "mixture", 1_000_000), results.get("fill", "mixture", 1_000_000)
    goal("1,000,000: vector stage p50 ≤ 6 ms", at(million, "ms", "p50"), lambda v: v <= 6)
    goal("1,000,000: vector stage p95 ≤ 12 ms", at(million, "ms", "p95"), lambda v: v <= 12)
    goal("1,000,000: recall@10 ≥ 0.98", at(million, "recall_at_10"), lambda v: v >= 0.98)
    goal("1,000,000: opening to first answer ≤ 3,000 ms", at(found, "first_answer_ms"), lambda v: v <= 3000)
    goal("1,000,000: memory ≤ 150 MB beyond SQLite's own", ratio(at(found, "held", "anonymous_bytes"), 1e6), lambda v: v <= 150)
    goal("1,000,000: disk ≤ 1.3 × vectors and texts", at(filled, "disk_ratio"), lambda v: v <= 1.3)
    for data, count, most in [("real", real, 15), ("mixture", 100_000, 15), ("mixture", 1_000_000, 50)]:
        whole = results.get("retrievals", data, count)
        name = f"{count or 100_000:,} {data}"
        goal(f"whole retrieval p95 ≤ {most} ms ({name})", at(whole, "whole_ms", "p95"), lambda v: v <= most)
        slower = ratio(at(whole, "common_words_ms", "p95"), at(whole, "whole_ms", "p95"))
        goal(f"common words no slower: p95 / p95 ≤ 1.5 ({name})", slower, lambda v: v <= 1.5)
    for count in (100_000, 1_000_000):
        vectors = results.get("vectors", "mixture", count)
        rows_of = vectors["filters"] if vectors else []
        worst = max((row["ms"]["p50"] / rows_of[0]["ms"]["p50"] for row in rows_of), default=None)
        goal(f"any filter ≤ 2 × unfiltered, vector stage ({count:,})", worst, lambda v: v <= 2)
        exact = all(row["exact_count"] for row in rows_of) if rows_of else None
        goal(f"exact count under filters ({count:,})", exact, bool, "yes" if exact else "no")
        load = results.get("load", "mixture", count)
        goal(f"eight readers beside a writer ≥ 70 % of the searches/s ({count:,})",
             ratio(at(load, "beside_a_writer", "searches_per_s"), at(load, "alone", "searches_per_s")), lambda v: v >= 0.7)
        goal(f"and p99 ≤ 3 × p50 ({count:,})", ratio(at(load, "beside_a_writer", "ms", "p99"),
             at(load, "beside_a_writer", "ms", "p50")), lambda v: v <= 3)
        filled = results.get("fill", "mixture", count)
        goal(f"batched writes ≥ 10,000 contexts/s ({count:,})", at(filled, "contexts_per_s"), lambda v: v >= 10_000)
        most = max((s["stores_per_s"] for s in load["single_stores"]), default=None) if load else None
        goal(f"single acknowledged stores ≥ 500/s ({count:,})", most, lambda v: v >= 500)
    ours, theirs = results.get("forward-ours"), results.get("forward-onnxruntime")
    goal("the model's throughput ≥ 1.0 × onnxruntime's", ratio(at(ours, "texts_per_s"), at(theirs, "texts_per_s")), lambda v: v >= 1)
    goal("its latency for one text ≤ 1.2 × onnxruntime's, p50",
         ratio(at(ours, "single_ms", "p50"), at(theirs, "single_ms", "p50")), lambda v: v <= 1.2)
    return "#### Goals\n\n" + table(["goal", "measured", ""], rows)


def main():
    results, data, readme = Results(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    about = data / "real" / "about.txt"
    text = f"Machine: {machine()}.\n\n"
    if about.exists():
        text += f"Real texts: {about.read_text().strip()}.\n\n"
    text += goals(results) + compared(results) + whole(results) + notes(results) + forward(results)
    before, rest = readme.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(before + BEGIN + "\n" + text + END + after, "utf-8")


main()
