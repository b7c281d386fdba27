"""Writes tests/goldens/evaluation.json: metrics by pytrec_eval-terrier, tests by scipy, pair metrics by scikit-learn.

    python evaluation_goldens.py
"""

import importlib.metadata
import json
import pathlib
import random

import evaluation_parity as parity
import numpy as np
import scipy.stats
import sklearn.metrics

TARGET = parity.ROOT / "tests/goldens/evaluation.json"
PACKAGES = ("pytrec_eval-terrier", "scipy", "scikit-learn")
METRICS = ("ndcg", "ndcg@1", "ndcg@5", "ndcg_exp@5", "map", "map@3", "mrr", "mrr@3", "recall@5", "precision@5",
           "precision", "f1@5", "rprec", "success@1")


def ranking(seed: int, level: int) -> dict:
    """Scores tie as they are and as float32; one query has nothing relevant."""
    generator = random.Random(seed)
    qrels, run = {}, {}
    for query in ("q1", "q2", "q3"):
        documents = [f"d{number}" for number in generator.sample(range(100), 14)]
        levels = (0,) if query == "q3" else (-1, 0, 1, 2, 3)
        qrels[query] = {document: generator.choice(levels) for document in documents[:8]}
        run[query] = {document: generator.choice((1.0, 1.00000001, 1.00000002, 2.5, -0.5, 1e39, 1e40))
                      for document in documents[3:]}
    values = parity.wanted_values(qrels, run, level)
    return {"qrels": qrels, "run": run, "relevance_level": level,
            "values": {query: {name: of[name] for name in METRICS} for query, of in values.items()}}


def paired(baseline: list, other: list) -> dict:
    """Few enough queries for every permutation to be tried."""
    a, b = np.array(baseline), np.array(other)
    test = scipy.stats.ttest_rel(b, a)
    permuted = scipy.stats.permutation_test((b, a), lambda x, y, axis: np.mean(x - y, axis=axis), vectorized=True,
                                            permutation_type="samples", n_resamples=1 << len(a))
    interval = scipy.stats.bootstrap((b - a,), np.mean, n_resamples=200000, method="percentile",
                                     rng=np.random.default_rng(1)).confidence_interval
    return {"baseline": baseline, "other": other, "t": float(test.statistic), "t_test_p": float(test.pvalue),
            "permutation_p": float(permuted.pvalue), "interval": [float(interval.low), float(interval.high)]}


def pairs(scores: list, labels: list) -> dict:
    calls = [score >= 0.5 for score in scores]
    best = max(float(np.mean([(score >= t) == label for score, label in zip(scores, labels)]))
               for t in [*scores, float("inf")])
    precision, recall, f1, _ = sklearn.metrics.precision_recall_fscore_support(labels, calls, average="binary",
                                                                               zero_division=0)
    return {"scores": scores, "labels": labels, "roc_auc": float(sklearn.metrics.roc_auc_score(labels, scores)),
            "average_precision": float(sklearn.metrics.average_precision_score(labels, scores)),
            "accuracy": float(sklearn.metrics.accuracy_score(labels, calls)), "precision": float(precision),
            "recall": float(recall), "f1": float(f1), "best_accuracy": best}


def graded(scores: list, grades: list) -> dict:
    return {"scores": scores, "grades": grades, "spearman": float(scipy.stats.spearmanr(scores, grades).statistic),
            "pearson": float(scipy.stats.pearsonr(scores, grades).statistic)}


def main() -> None:
    generator = random.Random(7)
    eighths = [generator.randrange(9) / 8 for _ in range(20)]  # Sums of them have no rounding, and tie.
    normal = [round(generator.gauss(0.5, 0.2), 3) for _ in range(24)]
    scores = [round(generator.random(), 1) for _ in range(30)]  # Many ties, some at 0.5.
    labels = [generator.random() < 0.3 + score / 2 for score in scores]
    golden = {
        "made_by": {name: importlib.metadata.version(name) for name in PACKAGES},
        "rankings": [ranking(1, 1), ranking(2, 2)],
        "paired": [paired(eighths[:10], eighths[10:]), paired(normal[:12], normal[12:]),
                   paired(normal[:2], normal[2:4])],
        "pairs": [pairs(scores, labels), pairs([0.9, 0.8, 0.3, 0.1], [False, False, True, True])],
        "graded": [graded(scores[:20], eighths), graded([1.5, -2.0, 3.25], [1.0, 2.0, 3.0])],
    }
    TARGET.write_text(json.dumps(golden, separators=(",", ":")).replace('},{', '},\n{') + "\n", encoding="utf-8")
    print(f"{pathlib.Path(TARGET).relative_to(parity.ROOT)}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
