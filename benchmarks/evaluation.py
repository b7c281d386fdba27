"""Measures `tandem eval` against pytrec_eval-terrier on the same files: 1,000 queries with 1,000 results each.

    python benchmarks/evaluation.py [--tandem PROGRAM] [--queries 1000] [--results 1000] [--rounds 5]

Rounds alternate; the best of each side counts. Two rows: the metrics alone, of what is in memory, and everything from
files to means, each side as a process of its own. The scores are random, and in no order in the file.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
METRICS = {"ndcg@10": "ndcg_cut.10", "map": "map", "mrr": "recip_rank", "recall@100": "recall.100",
           "precision@10": "P.10"}
TOLERANCE = 1e-9


def write_files(folder: pathlib.Path, queries: int, results: int) -> None:
    """A hundred judgements a query, half of them of documents that were found."""
    generator = random.Random(1)
    with open(folder / "qrels", "w", encoding="utf-8") as qrels, open(folder / "run", "w", encoding="utf-8") as run:
        for query in range(queries):
            found = generator.sample(range(10_000_000), results + 50)
            for document in found[-100:]:
                qrels.write(f"q{query} 0 doc{document} {generator.choice((0, 0, 1, 2, 3))}\n")
            for document in found[:results]:
                run.write(f"q{query} Q0 doc{document} 0 {generator.random():.6f} random\n")


def measure_peer(folder: pathlib.Path) -> dict:
    """In a process of its own: main() calls it with --peer."""
    import pytrec_eval  # pylint: disable=import-outside-toplevel

    start = time.perf_counter()
    with open(folder / "qrels", encoding="utf-8") as file:
        qrels = pytrec_eval.parse_qrel(file)
    with open(folder / "run", encoding="utf-8") as file:
        run = pytrec_eval.parse_run(file)
    read = time.perf_counter()
    values = pytrec_eval.RelevanceEvaluator(qrels, set(METRICS.values())).evaluate(run)
    means = {ours: sum(of[theirs.replace(".", "_")] for of in values.values()) / len(values)
             for ours, theirs in METRICS.items()}
    end = time.perf_counter()
    return {"means": means, "read_ms": 1e3 * (read - start), "evaluate_ms": 1e3 * (end - read)}


def run_json(command: list) -> tuple[dict, float]:
    start = time.perf_counter()
    output = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            check=True).stdout
    return json.loads(output), 1e3 * (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tandem", default=str(ROOT / "build/release/bin/tandem"))
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--results", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        json.dump(measure_peer(arguments.peer), sys.stdout)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_files(folder, arguments.queries, arguments.results)
        ours_command = [arguments.tandem, "eval", "--qrels", folder / "qrels", "--run", folder / "run", "--metrics",
                        ",".join(METRICS), "--json"]
        theirs_command = [sys.executable, __file__, "--peer", folder]
        ours, theirs = [], []
        for _ in range(arguments.rounds):
            for readings, command in ((ours, ours_command), (theirs, theirs_command)):
                report, wall_ms = run_json(command)
                times = report.get("times", report)
                means = report["means"] if "means" in report else report["runs"][0]["metrics"]
                readings.append((times["evaluate_ms"], times["read_ms"], wall_ms, means))
    for metric in METRICS:
        if abs(ours[0][3][metric] - theirs[0][3][metric]) > TOLERANCE:
            sys.exit(f"{metric}: {ours[0][3][metric]} and {theirs[0][3][metric]}: the sides do not agree")
    print(f"{arguments.queries:,} queries x {arguments.results:,} results, {len(METRICS)} metrics, best of "
          f"{arguments.rounds}, load {os.getloadavg()[0]:.2f} on {os.cpu_count()} processors")
    print("| | tandem eval | pytrec_eval | times as fast |")
    print("|---|---|---|---|")
    for row, what in enumerate(("metrics alone", "reading", "whole process")):
        best = [min(reading[row] for reading in side) for side in (ours, theirs)]
        print(f"| {what} | {best[0]:.1f} ms | {best[1]:.1f} ms | {best[1] / best[0]:.1f} |")


if __name__ == "__main__":
    main()
