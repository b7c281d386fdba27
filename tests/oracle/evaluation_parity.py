"""Compares `tandem eval` with pytrec_eval-terrier, scipy and scikit-learn on random runs, and on real ones: part of
`make parity`.

    python evaluation_parity.py [--tandem PROGRAM] [--models FOLDER] [--seeds 20]

TANDEM_DATA adds its TREC qrels and runs. Ends with status 1 when a value differs by more than 1e-9.
"""

import argparse
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np
import pytrec_eval
import scipy.stats
import sklearn.metrics

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOLERANCE = 1e-9
EXPONENTIAL_MAX = 12  # trec_eval counts the judgements of each gain in an array.
CUTOFFS = (1, 3, 5, 10, 100, 1000)


def evaluate(program: str, *arguments) -> dict:
    """The report of `tandem eval`, by JSON."""
    command = [program, "eval", *map(str, arguments), "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def write_qrels(path: pathlib.Path, qrels: dict) -> None:
    path.write_text("".join(f"{q} 0 {d} {r}\n" for q, judged in qrels.items() for d, r in judged.items()))


def write_run(path: pathlib.Path, run: dict) -> None:
    path.write_text("".join(f"{q} Q0 {d} 0 {s!r} x\n" for q, found in run.items() for d, s in found.items()))


def read_qrels(path: pathlib.Path) -> dict:
    """TREC or BEIR."""
    qrels = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("\t") if line.count("\t") == 2 else line.split()
        if line.startswith("#") or fields[-1] == "score":
            continue
        qrels.setdefault(fields[0], {})[fields[-2]] = int(fields[-1])
    return qrels


def read_run(path: pathlib.Path) -> dict:
    run = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if not line.startswith("#"):
            run.setdefault(fields[0], {})[fields[2]] = float(fields[4])
    return run


def random_case(seed: int) -> tuple[dict, dict]:
    """Qrels and a run with graded, zero and negative judgements, unjudged results, queries that the other lacks, and
    scores that tie as they are or only as float32."""
    generator = random.Random(seed)
    documents = [f"d{generator.randrange(10**6)}" for _ in range(400)]
    qrels, run = {}, {}
    for query in range(30):
        levels = (0, 0, 1) if seed % 2 else (-1, 0, 0, 1, 2, 3)
        if query != 3:
            count = generator.choice((1, 5, 50))
            qrels[f"q{query}"] = {d: generator.choice(levels) for d in generator.sample(documents, count)}
        if query % 10 != 7:
            found = generator.sample(documents, generator.choice((1, 7, 200)))
            style = generator.randrange(3)
            scores = [generator.gauss(0, 10) for _ in found]
            if style == 1:
                scores = [float(round(score)) for score in scores]
            elif style == 2:
                scores = [1 + score * 1e-8 for score in scores]
            run[f"q{query}"] = dict(zip(found, scores))
    return qrels, run


def largest_relevance(qrels: dict) -> int:
    return max(relevance for judged in qrels.values() for relevance in judged.values())


def exponential(qrels: dict) -> dict:
    """Judgements whose linear gain is the exponential one."""
    return {q: {d: 2**max(r, 0) - 1 for d, r in judged.items()} for q, judged in qrels.items()}


def wanted_values(qrels: dict, run: dict, level: int) -> dict:
    """Per query what each metric has to be, by Tandem's names."""
    cuts = ",".join(map(str, CUTOFFS))
    measures = {"ndcg", "map", "recip_rank", "Rprec", "set_recall", "set_P", "set_F"}
    measures |= {f"{name}.{cuts}" for name in ("ndcg_cut", "map_cut", "P", "recall", "success")}
    plain = pytrec_eval.RelevanceEvaluator(qrels, measures, relevance_level=level).evaluate(run)
    small = exponential(qrels) if largest_relevance(qrels) <= EXPONENTIAL_MAX else qrels
    gains = pytrec_eval.RelevanceEvaluator(small, {"ndcg", f"ndcg_cut.{cuts}"}).evaluate(run)
    wanted = {}
    for query, of in plain.items():
        values = {"ndcg": of["ndcg"], "map": of["map"], "mrr": of["recip_rank"], "rprec": of["Rprec"],
                  "recall": of["set_recall"], "precision": of["set_P"], "f1": of["set_F"],
                  "ndcg_exp": gains[query]["ndcg"]}
        for k in CUTOFFS:
            precision, recall = of[f"P_{k}"], of[f"recall_{k}"]
            values |= {f"ndcg@{k}": of[f"ndcg_cut_{k}"], f"map@{k}": of[f"map_cut_{k}"], f"precision@{k}": precision,
                       f"recall@{k}": recall, f"success@{k}": of[f"success_{k}"],
                       f"ndcg_exp@{k}": gains[query][f"ndcg_cut_{k}"],
                       f"mrr@{k}": of["recip_rank"] if of["recip_rank"] * k > 1 - 1e-12 else 0.0,
                       f"f1@{k}": 2 * precision * recall / (precision + recall) if precision + recall else 0.0}
        wanted[query] = values
    return wanted


class Checker:
    def __init__(self):
        self.worst = 0.0
        self.values = 0
        self.failures = 0

    def check(self, what: str, wanted: float, found: float, tolerance: float = TOLERANCE) -> None:
        self.values += 1
        self.worst = max(self.worst, abs(wanted - found))
        if not abs(wanted - found) <= tolerance:
            self.failures += 1
            print(f"   {what}: {found!r}, want {wanted!r}", file=sys.stderr)


def check_run(checker: Checker, program: str, qrels_path, run_path, level: int = 1) -> None:
    qrels, run = read_qrels(qrels_path), read_run(run_path)
    wanted = wanted_values(qrels, run, level)
    names = list(next(iter(wanted.values())))
    if largest_relevance(qrels) > EXPONENTIAL_MAX:
        names = [name for name in names if not name.startswith("ndcg_exp")]
    report = evaluate(program, "--qrels", qrels_path, "--run", run_path, "--metrics", ",".join(names), "--per-query",
                      "--answered-only", "--relevance-level", level)["runs"][0]
    if set(report["per_query"]) != set(wanted):
        checker.failures += 1
        print(f"   {run_path}: other queries than pytrec_eval's", file=sys.stderr)
        return
    for query, values in wanted.items():
        for name in names:
            checker.check(f"{run_path} {query} {name}", values[name], report["per_query"][query][name])
    for name in names:
        mean = float(np.mean([values[name] for values in wanted.values()]))
        checker.check(f"{run_path} {name}", mean, report["metrics"][name])


def check_comparison(checker: Checker, program: str, qrels_path, first, second) -> None:
    """The t-test to 1e-9; the randomised figures within four standard errors of scipy's, exact ones to 1e-9."""
    metrics = ["ndcg@10", "map"]
    report = evaluate(program, "--qrels", qrels_path, "--run", first, "--run", second, "--metrics", ",".join(metrics),
                      "--per-query", "--permutations", 20000, "--resamples", 20000)
    queries = list(report["runs"][0]["per_query"])
    for name in metrics:
        a, b = (np.array([run["per_query"][query][name] for query in queries]) for run in report["runs"])
        found = report["runs"][1]["against_first"][name]
        test = scipy.stats.ttest_rel(b, a)
        if np.ptp(b - a) > 0:
            bound = TOLERANCE * max(1, abs(test.statistic))
            checker.check(f"{second} {name} t", float(test.statistic), found["t"], bound)
            checker.check(f"{second} {name} p", float(test.pvalue), found["t_test_p"])
        # Equal values are left out, as their order changes nothing: scipy, too, then tries every order where it can.
        changed = a != b
        permuted = 1.0
        if changed.sum() > 1:
            permuted = scipy.stats.permutation_test(
                (b[changed], a[changed]), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples",
                vectorized=True, n_resamples=20000, rng=np.random.default_rng(1)).pvalue
        # Both sides are estimates: the variance of the difference is twice that of one.
        error = 0 if found["permutation_exhaustive"] else 8 * math.sqrt(2 * permuted * (1 - permuted / 2) / 2 / 20000)
        checker.check(f"{second} {name} permutation", permuted, found["permutation_p"], max(error, TOLERANCE))
        # Where 20,000 draws put a quantile: four standard errors of the difference of two such estimates to each side.
        means = scipy.stats.bootstrap((b - a,), np.mean, n_resamples=20000, method="percentile",
                                      rng=np.random.default_rng(1)).bootstrap_distribution
        for share, end in zip((0.025, 0.975), found["interval"]):
            error = 4 * math.sqrt(2 * share * (1 - share) / 20000)
            low, high = np.quantile(means, (share - error, share + error))
            checker.check(f"{second} {name} interval", float(np.clip(end, low, high)), end)
        outcome = [int((b > a).sum()), int((b < a).sum()), int((b == a).sum())]
        if outcome != [found["wins"], found["losses"], found["ties"]]:
            checker.failures += 1
            print(f"   {second} {name}: wins, losses, ties are not {outcome}", file=sys.stderr)


def check_pairs(checker: Checker, program: str, models: pathlib.Path) -> None:
    """The sample pairs, from the scores that Tandem reports itself."""
    for path in sorted((ROOT / "examples/data").glob("*_pairs.jsonl")):
        report = evaluate(program, "--pairs", path, "--model", models / "all-MiniLM-L6-v2", "--cross-model",
                          models / "ms-marco-MiniLM-L-12-v2", "--activation", "sigmoid", "--per-query")
        labels = [json.loads(line)["label"] for line in path.read_text(encoding="utf-8").splitlines()]
        for encoder in report["encoders"]:
            scores = np.array(encoder["scores"])
            checker.check("ROC-AUC", sklearn.metrics.roc_auc_score(labels, scores), encoder["roc_auc"])
            checker.check("average precision", sklearn.metrics.average_precision_score(labels, scores),
                          encoder["average_precision"])
            for key in ("fixed_threshold", "best_threshold"):
                found = encoder[key]
                calls = scores >= found["threshold"]
                precision, recall, f1, _ = sklearn.metrics.precision_recall_fscore_support(
                    labels, calls, average="binary", zero_division=0)
                accuracy = sklearn.metrics.accuracy_score(labels, calls)
                for name, value in (("accuracy", accuracy), ("precision", precision), ("recall", recall), ("f1", f1)):
                    checker.check(f"{key} {name}", value, found[name])
            best = max(float(np.mean((scores >= t) == labels)) for t in [*scores, np.inf])
            checker.check("best accuracy", best, encoder["best_threshold"]["accuracy"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tandem", default=str(ROOT / "build/release/bin/tandem"))
    parser.add_argument("--models", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=20)
    arguments = parser.parse_args()
    checker = Checker()
    with tempfile.TemporaryDirectory() as folder:
        qrels_path, first, second = (pathlib.Path(folder, name) for name in ("qrels", "first", "second"))
        for seed in range(arguments.seeds):
            qrels, run = random_case(seed)
            other = {q: {d: s + random.Random(f"{seed}{d}").gauss(0, 5) for d, s in found.items()}
                     for q, found in run.items()}
            write_qrels(qrels_path, qrels)
            write_run(first, run)
            write_run(second, other)
            check_run(checker, arguments.tandem, qrels_path, first, 1 + seed % 3)
            check_comparison(checker, arguments.tandem, qrels_path, first, second)
            few = {q: qrels[q] for q in list(qrels)[:12]}
            write_qrels(qrels_path, few)
            check_comparison(checker, arguments.tandem, qrels_path, first, second)
    if data := os.environ.get("TANDEM_DATA"):
        runs = sorted(pathlib.Path(data, "trec-dl19-pool/runs").glob("*.trec"))
        cases = [(pathlib.Path(data, "trec-dl19-pool/qrels/test.tsv"), run) for run in runs]
        for name, run in (("trec_eval/qrels.test", "trec_eval/results.test"),
                          ("trec_eval/qrels.rel_level", "trec_eval/results.trunc"),
                          ("ir_measures/compat.qrels", "ir_measures/compat.run"),
                          ("ir_measures/cwl.qrels", "ir_measures/cwl.run")):
            cases.append((pathlib.Path(data, name), pathlib.Path(data, run)))
        for level in (1, 2):
            for qrels_path, run in cases:
                check_run(checker, arguments.tandem, qrels_path, run, level)
        for run in runs[1:]:
            check_comparison(checker, arguments.tandem, cases[0][0], runs[0], run)
    if arguments.models:
        check_pairs(checker, arguments.tandem, arguments.models)
    print(f"evaluation: {checker.values:,} values, {checker.failures} outside their bounds")
    sys.exit(1 if checker.failures else 0)


if __name__ == "__main__":
    main()
