"""Measures the quality of the two-stage pipeline on public retrieval sets: see benchmarks/README.md.

    python3 quality.py [--minutes N] [--only SET…] [--precision P…] [--report]

A cell is a set, a first stage and a precision. Cells that are in results/quality.json already are not measured again;
within a cell, the cache keeps each score, so that an interrupted run goes on where it stopped.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import machine

PROJECT = pathlib.Path(__file__).resolve().parent.parent
CACHE = PROJECT / "benchmarks" / ".cache" / "quality"
RESULTS = PROJECT / "benchmarks" / "results" / "quality.json"
PAGE = PROJECT / "docs" / "quality.md"
TANDEM = pathlib.Path(os.environ.get("TANDEM_BINARY", PROJECT / "build" / "release" / "bin" / "tandem"))


@dataclasses.dataclass(frozen=True)
class Retriever:
    """A first stage: a bi-encoder by its id, or the run file that a set brings."""

    name: str
    model: str = ""
    run: str = ""


# A further first stage is a further row.
RETRIEVERS = [
    Retriever("all-MiniLM-L6-v2", model="sentence-transformers/all-MiniLM-L6-v2"),
    Retriever("all-mpnet-base-v2", model="sentence-transformers/all-mpnet-base-v2"),
    Retriever("BM25", run="runs/BM25.trec"),
]
CROSS_ENCODER = "cross-encoder/ms-marco-MiniLM-L-12-v2"
# Small ones first, so that a bounded run has something to show.
SETS = {
    "time": "time",
    "med": "med",
    "cranfield": "cranfield",
    "stackfaq": "stackfaq",
    "xquad-en": "xquad/en",
    "cacm": "cacm",
    "lisa": "lisa",
    "cosqa": "cosqa",
    "trec-dl19-pool": "trec-dl19-pool",
}
# How many judged queries are drawn at most. f32 takes several times as long: it is compared on fewer, which are among
# the others since they are drawn with the same seed.
SAMPLES = {"int8": [200, 50], "bf16": [200, 50], "f32": [50]}
DEPTHS = [100, 50, 20, 10]
ALPHAS = [1, 0.7]
SEED = 0
METRIC = "ndcg@10"
SETTINGS = {
    "cross_encoder": CROSS_ENCODER, "samples": SAMPLES, "depths": DEPTHS, "alphas": ALPHAS, "seed": SEED,
    "metric": METRIC,
}


@dataclasses.dataclass(frozen=True)
class Cell:
    set: str
    retriever: Retriever
    precision: str

    @property
    def key(self) -> str:
        return f"{self.set} / {self.retriever.name} / {self.precision}"


def say(text: str) -> None:
    print(f"== {text}", file=sys.stderr, flush=True)


def tandem(*arguments) -> str:
    """Standard output of the program, which must succeed; its progress and notes go where ours go."""
    command = [str(word) for word in (TANDEM, *arguments)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"failed ({result.returncode}): tandem {' '.join(command[1:])}")
    return result.stdout


def all_cells(data: pathlib.Path) -> list[Cell]:
    return [
        Cell(name, retriever, precision)
        for precision in SAMPLES
        for name, folder in SETS.items()
        for retriever in RETRIEVERS
        if retriever.model or (data / folder / retriever.run).exists()
    ]


def collection_of(cell: Cell, data: pathlib.Path) -> pathlib.Path:
    """The set's documents, indexed with the cell's precision. A run is of documents too: any collection has them."""
    retriever = cell.retriever if cell.retriever.model else RETRIEVERS[0]
    collection = CACHE / f"{cell.set}-{retriever.name}-{cell.precision}.tandem"
    if not (collection / "CURRENT").exists():
        say(f"indexing {cell.set} with {retriever.name}, {cell.precision}")
        tandem("index", collection, data / SETS[cell.set] / "corpus.jsonl", "--model", retriever.model,
               "--precision", cell.precision)
    return collection


def measure(cell: Cell, data: pathlib.Path) -> dict:
    """What `tandem eval --pipelines` says of a cell, for each size of the sample."""
    folder = data / SETS[cell.set]
    collection = collection_of(cell, data)
    measured = {"key": cell.key, "settings": SETTINGS, "date": datetime.date.today().isoformat(), "commit": commit(),
                "processor": machine.processor_name(), "processors": os.cpu_count(), "samples": {}}
    for sample in SAMPLES[cell.precision]:
        say(f"{cell.key}: {sample} queries")
        first_stage = "bi" if cell.retriever.model else folder / cell.retriever.run
        report = json.loads(tandem(
            "eval", collection, "--queries", folder / "queries.jsonl", "--qrels", folder / "qrels" / "test.tsv",
            "--pipelines", "--first-stage", first_stage, "--cross-model", CROSS_ENCODER, "--precision", cell.precision,
            "--sample", sample, "--seed", SEED, "--depths", ",".join(map(str, DEPTHS)),
            "--alphas", ",".join(map(str, ALPHAS)), "--metrics", METRIC, "--cache", CACHE / "scores.cache", "--json"))
        measured["samples"][str(sample)] = {
            "queries": report["queries"],
            "documents": report["documents"],
            "computes": report["cross_compute"]["precision"],
            "isa": report["cross_compute"]["isa"],
            "rows": [{"candidates": setting.get("candidates", 0), "alpha": setting.get("alpha", 1),
                      "mean": round(setting["metrics"][METRIC]["mean"], 6),
                      "interval": [round(end, 6) for end in setting["metrics"][METRIC]["interval"]]}
                     for setting in report["settings"]],
            "ceilings": [{"depth": ceiling["depth"], "mean": round(ceiling["metrics"][METRIC], 6),
                          "recall": round(ceiling["recall"], 6)} for ceiling in report["ceilings"]],
        }
    return measured


def commit() -> str:
    result = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=PROJECT, capture_output=True, text=True,
                            check=False)
    return result.stdout.strip() or "unknown"


def read_results() -> dict[str, dict]:
    if not RESULTS.exists():
        return {}
    cells = json.loads(RESULTS.read_text(encoding="utf-8"))["cells"]
    return {cell["key"]: cell for cell in cells if cell["settings"] == SETTINGS}


def write(path: pathlib.Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


# ------------------------------------------------------------------------------------------------------------ the page


def page(results: dict[str, dict], cells: list[Cell]) -> str:
    return "\n".join([
        "# What each stage is worth",
        "",
        f"nDCG@10 on public retrieval sets: each first stage alone, and with its best candidates reranked by "
        f"{CROSS_ENCODER.split('/')[-1]}, by the cross-encoder alone (alpha 1) and fused with the first stage's scores "
        f"(alpha 0.7). After ± half of the 95 % confidence interval, by bootstrap over the queries. At most "
        f"{max(SAMPLES['int8'])} judged queries of a set, drawn with seed {SEED}. Documents and "
        f"queries are encoded and pairs are scored with the precision of the column. The values are those of "
        f"trec_eval, as `tandem eval` gives them: [evaluation.md](evaluation.md).",
        "",
        "`benchmarks/quality.sh` repeats this page from the sets in `TANDEM_DATA`; "
        "[how](../benchmarks/README.md#quality). The figures with all their digits are in "
        "[quality.json](../benchmarks/results/quality.json).",
        "",
        *overview(results),
        *(line for name in SETS for line in section(name, results)),
        *provenance(results, cells),
        "",
    ])


def sample_of(results: dict[str, dict], name: str, retriever: Retriever, precision: str, sample: int) -> dict | None:
    cell = results.get(Cell(name, retriever, precision).key)
    return cell["samples"].get(str(sample)) if cell else None


def value(sample: dict | None, candidates: int, alpha: float, interval: bool = True) -> str:
    for row in sample["rows"] if sample else []:
        if row["candidates"] == candidates and (not candidates or row["alpha"] == alpha):
            low, high = row["interval"]
            return f"{row['mean']:.3f}" + (f" ± {(high - low) / 2:.3f}" if interval else "")
    return "–"


def overview(results: dict[str, dict]) -> list[str]:
    """One row a set and first stage, at the precision that most users with little time want."""
    lines = ["## At a glance", "", "int8, alpha 1; recall is that of the first stage's candidates.", "",
             "| set | first stage | alone | top 10 reranked | top 20 | top 50 | top 100 | recall in 10 | in 100 |",
             "|---|---|---|---|---|---|---|---|---|"]
    for name in SETS:
        for retriever in RETRIEVERS:
            sample = sample_of(results, name, retriever, "int8", max(SAMPLES["int8"]))
            if sample is None:
                continue
            cells = [value(sample, 0, 1), *(value(sample, depth, 1) for depth in sorted(DEPTHS)),
                     *(f"{ceiling['recall']:.3f}" for depth in (10, 100) for ceiling in sample["ceilings"]
                       if ceiling["depth"] == depth)]
            lines.append(f"| {name} | {retriever.name} | {' | '.join(cells)} |")
    return [*lines, "", *changes(results), "", *precisions(results)]


def precisions(results: dict[str, dict]) -> list[str]:
    """How far int8 and bf16 are from f32, over every setting of every set, on the queries that all of them have."""
    found = []
    for precision in ("int8", "bf16"):
        differences = []
        for name in SETS:
            for retriever in RETRIEVERS:
                exact, other = (sample_of(results, name, retriever, each, min(SAMPLES["int8"])) for each in
                                ("f32", precision))
                if exact and other:
                    differences += [abs(row["mean"] - exact_row["mean"])
                                    for row, exact_row in zip(other["rows"], exact["rows"], strict=True)]
        if differences:
            found.append(f"{precision} by {statistics.median(differences):.4f} in the median and at most "
                         f"{max(differences):.3f}")
    return [f"From f32 on the same queries nDCG@10 differs with {', with '.join(found)}.", ""] if found else []


def changes(results: dict[str, dict]) -> list[str]:
    """What reranking changes, in a line for each first stage, the largest gain first."""
    lines = ["What reranking changes, at the best depth of each set and, where that is another, at the largest:", ""]

    def change(gain: float, depth: int) -> str:
        return f"{gain:+.3f} (top {depth})".replace("-", "−")

    for retriever in RETRIEVERS:
        found = []
        for name in SETS:
            sample = sample_of(results, name, retriever, "int8", max(SAMPLES["int8"]))
            if sample is None:
                continue
            alone = next(row["mean"] for row in sample["rows"] if not row["candidates"])
            gains = {row["candidates"]: row["mean"] - alone for row in sample["rows"]
                     if row["candidates"] and row["alpha"] == 1}
            best = max(gains, key=gains.get)
            found.append((gains[best], f"{name} " + ", ".join(change(gains[depth], depth)
                                                              for depth in sorted({best, max(gains)}))))
        if found:
            lines.append(f"- **{retriever.name}**: " + "; ".join(text for _, text in sorted(found, reverse=True)) + ".")
    return lines


def section(name: str, results: dict[str, dict]) -> list[str]:
    """The whole table of a set: int8 and bf16 on all queries drawn, then the three on the few that f32 has too."""
    known = [sample for key, cell in results.items() if key.startswith(f"{name} / ")
             for sample in cell["samples"].values()]
    if not known:
        return []
    many, few = max(SAMPLES["int8"]), min(SAMPLES["int8"])
    queries = max(sample["queries"] for sample in known)
    # Where the few are all there are, f32 stands beside the others.
    columns = [("int8", many), ("bf16", many)] + [("int8", few), ("bf16", few)] * (queries > few) + [("f32", few)]
    rows = []
    recalls = []
    for retriever in RETRIEVERS:
        samples = [sample_of(results, name, retriever, precision, sample) for precision, sample in columns]
        if not any(samples):
            continue
        settings = [(0, 1)] + [(depth, alpha) for depth in DEPTHS for alpha in ALPHAS]
        for candidates, alpha in settings:
            setting = f"top {candidates}, alpha {alpha:g}" if candidates else "alone"
            cells = [value(sample, candidates, alpha) for sample in samples]
            rows.append(f"| {retriever.name} | {setting} | {' | '.join(cells)} |")
        pool = next(sample for sample in samples if sample)
        recalls.append(f"{retriever.name} " + ", ".join(
            f"{ceiling['recall']:.3f} in {ceiling['depth']}" for ceiling in reversed(pool["ceilings"])))
    heads = [f"{precision}, {min(sample, queries)} queries" for precision, sample in columns]
    facts = f"{known[0]['documents']:,} documents. Recall of the candidates: {'; '.join(recalls)}."
    return [f"## {name}", "", facts, "",
            f"| first stage | reranked | {' | '.join(heads)} |", "|---|---|" + "---|" * len(columns), *rows, ""]


def provenance(results: dict[str, dict], cells: list[Cell]) -> list[str]:
    machines: dict[tuple, set[tuple]] = {}
    for cell in results.values():
        for sample in cell["samples"].values():
            computer = (cell["processor"], cell["processors"], sample["isa"])
            machines.setdefault(computer, set()).add((cell["date"], cell["commit"]))
    lines = ["## How it was measured", ""]
    for (processor, processors, isa), states in sorted(machines.items()):
        dates = sorted({date for date, _ in states})
        lines.append(f"- {processor}, {processors} processors, {isa}; {' to '.join(sorted({dates[0], dates[-1]}))}; "
                     f"commits {', '.join(revision for _, revision in sorted(states))}")
    missing = [cell.key for cell in cells if cell.key not in results]
    if missing:
        lines += ["", f"{len(missing)} of {len(cells)} cells are not measured yet and show as –."]
    return lines


# ------------------------------------------------------------------------------------------------------------- command


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, help="start no further cell after so many minutes")
    parser.add_argument("--only", nargs="+", choices=SETS, metavar="SET", help="these sets: " + ", ".join(SETS))
    parser.add_argument("--precision", nargs="+", choices=SAMPLES, help="these precisions")
    parser.add_argument("--report", action="store_true", help="only write the page from what was measured")
    options = parser.parse_args()
    data = pathlib.Path(os.environ["TANDEM_DATA"])
    CACHE.mkdir(parents=True, exist_ok=True)
    results = read_results()
    cells = all_cells(data)
    begin = time.monotonic()
    for cell in cells:
        wanted = cell.set in (options.only or SETS) and cell.precision in (options.precision or SAMPLES)
        if options.report or not wanted or cell.key in results:
            continue
        if options.minutes is not None and time.monotonic() - begin > options.minutes * 60:
            say(f"{options.minutes:g} minutes are over; the next run goes on with {cell.key}")
            break
        results[cell.key] = measure(cell, data)
        write(RESULTS, json.dumps({"cells": list(results.values())}, indent=1) + "\n")
    write(PAGE, page(results, cells))
    say(f"{sum(cell.key in results for cell in cells)} of {len(cells)} cells are in {PAGE.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
