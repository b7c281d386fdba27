"""Compares the tandem program with sentence-transformers, live: see docs/parity.md.

    python parity.py --models FOLDER [--texts 2200] [--only MODEL…] [--write FILE]

Prints a table, and ends with status 1 when a bound is broken. FOLDER holds the three checkpoints by their short names.
TANDEM_DATA adds real text in several languages and rankings of real collections.
"""

import argparse
import dataclasses
import importlib.metadata
import os
import pathlib
import random
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "true"
import numpy as np
import parity_cli
import parity_ranking
import parity_texts
import sentence_transformers
import torch

BI_ENCODERS = ("all-MiniLM-L6-v2", "bge-small-en-v1.5")
CROSS_ENCODERS = ("ms-marco-MiniLM-L-12-v2",)
# Compared only when --only names it: 418 MB, and half an hour in f32.
LARGE_BI_ENCODERS = ("all-mpnet-base-v2",)
PRECISIONS = ("f32", "bf16", "int8")
# Their weights lie on an int8 grid already, so an int8 encoder looks better on them than it is.
FROM_INT8_WEIGHTS = ("bge-small-en-v1.5", "ms-marco-MiniLM-L-12-v2")


@dataclasses.dataclass
class Bound:
    """One thing that must hold."""

    what: str
    value: float
    relation: str  # "≥" or "≤"
    limit: float

    def holds(self) -> bool:
        return self.value >= self.limit if self.relation == "≥" else self.value <= self.limit

    def row(self) -> str:
        verdict = "holds" if self.holds() else "**BROKEN**"
        return f"| {self.what} | {self.value:.6g} | {self.relation} {self.limit:.6g} | {verdict} |"


class Report:
    def __init__(self):
        self.lines = []
        self.broken = 0

    def section(self, title: str) -> None:
        self.print("", f"### {title}", "", "| what | measured | bound | |", "|---|---|---|---|")

    def check(self, *bounds: Bound) -> None:
        for bound in bounds:
            self.print(bound.row())
            self.broken += not bound.holds()

    def tell(self, what: str, measured: str) -> None:
        self.print(f"| {what} | {measured} | reported | |")

    def print(self, *lines: str) -> None:
        self.lines += lines
        print(*lines, sep="\n", flush=True)


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    left, right = left.astype(np.float64), right.astype(np.float64)
    return (left * right).sum(1) / (np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1))


def check_tokens(report: Report, reference, ours: parity_cli.Model, items: list) -> None:
    """Every id and type id, as the reference would feed them to its model."""
    different = []
    for item, found in zip(items, ours.tokenize(items)):
        texts = item.decoded()
        features = reference.preprocess([texts if len(texts) == 2 else texts[0]])
        ids = features["input_ids"][0].tolist()
        # A model without token types is given none, and ours are all 0 for it.
        wanted = ids, features["token_type_ids"][0].tolist() if "token_type_ids" in features else [0] * len(ids)
        if (found["ids"], found["type_ids"]) != wanted:
            different.append(item)
    for item in different[:3]:
        print(f"   different tokens: {item.parts!r:.300}", file=sys.stderr)
    report.check(Bound(f"{len(items):,} inputs whose token ids differ", len(different), "≤", 0))


def check_embeddings(report: Report, name: str, precision: str, groups: np.ndarray, wanted, found) -> None:
    cosine = cosines(wanted, found)
    of = {group: cosine[groups == group] for group in dict.fromkeys(groups)}
    if precision == "f32":
        worst = np.abs(wanted - found).max()
        report.check(
            Bound("f32 cosine, minimum", cosine.min(), "≥", 0.99999),
            Bound("f32 difference of a component, maximum", worst, "≤", 2e-5),
        )
    elif precision == "bf16":
        report.check(
            Bound("bf16 cosine, mean", cosine.mean(), "≥", 0.99995),
            Bound("bf16 cosine, minimum", cosine.min(), "≥", 0.9998),
        )
    else:
        note = ", from int8 weights" if name in FROM_INT8_WEIGHTS else ""
        report.check(Bound(f"int8 cosine on passages{note}, mean", of["passages"].mean(), "≥", 0.999))
        if "mixed" in of:
            report.check(
                Bound(f"int8 cosine on mixed real text{note}, mean", of["mixed"].mean(), "≥", 0.9985),
                Bound(f"int8 cosine on mixed real text{note}, minimum", of["mixed"].min(), "≥", 0.995),
            )
    for group, values in of.items():
        what = f"{precision} cosine on {group} ({len(values):,}), mean, minimum"
        report.tell(what, f"{values.mean():.6f}, {values.min():.6f}")


def check_logits(report: Report, name: str, precision: str, groups: np.ndarray, wanted, found) -> None:
    error = np.abs(wanted - found).max(axis=1)
    if precision == "f32":
        report.check(Bound("f32 logit error, maximum", error.max(), "≤", 1e-3))
    elif precision == "bf16":
        report.check(
            Bound("bf16 logit error, maximum", error.max(), "≤", 0.06),
            Bound("bf16 logit error, mean", error.mean(), "≤", 0.01),
        )
    else:
        note = ", from int8 weights" if name in FROM_INT8_WEIGHTS else ""
        passages = error[groups == "passages"]
        report.check(Bound(f"int8 logit error on passages{note}, mean", passages.mean(), "≤", 0.02))
    for group in dict.fromkeys(groups):
        values = error[groups == group]
        what = f"{precision} logit error on {group} ({len(values):,}), mean, maximum"
        report.tell(what, f"{values.mean():.6f}, {values.max():.6f}")


def check_independence(
    report: Report, folder: pathlib.Path, precision: str, items: list, results: np.ndarray, compute
) -> None:
    """The same bits in another order, among fewer others, with another number of threads, and alone."""
    generator = random.Random(5)
    chosen = generator.sample(range(len(items)), min(300, len(items)))
    different = 0
    for indices, threads in ((chosen, 1), *(([index], 2) for index in chosen[:12])):
        again = compute(parity_cli.Model(folder, threads), [items[index] for index in indices], precision)
        different += int((again.view(np.uint32) != results[indices].view(np.uint32)).any(axis=1).sum())
    report.check(Bound(f"{precision} results that change with order, company or threads", different, "≤", 0))


def check_model(report: Report, folder: pathlib.Path, texts: int) -> None:
    name = folder.name
    options = {"device": "cpu", "model_kwargs": {"dtype": torch.float32}}
    if name in BI_ENCODERS + LARGE_BI_ENCODERS:
        items = parity_texts.items(texts)
        reference = sentence_transformers.SentenceTransformer(str(folder), **options)
        wanted = reference.encode([item.decoded()[0] for item in items])
        compute, check = parity_cli.Model.embed, check_embeddings
    else:
        items = parity_texts.pairs(texts)
        reference = sentence_transformers.CrossEncoder(str(folder), **options)
        wanted = reference.predict([item.decoded() for item in items], activation_fn=torch.nn.Identity())
        wanted = wanted.reshape(len(items), -1)
        compute, check = parity_cli.Model.score, check_logits
    report.section(f"{name}: {len(items):,} {'pairs' if name in CROSS_ENCODERS else 'texts'}")
    check_tokens(report, reference, parity_cli.Model(folder), items)
    groups = np.array([item.group for item in items])
    for precision in PRECISIONS:
        found = compute(parity_cli.Model(folder), items, precision)
        if found.shape != wanted.shape:
            raise SystemExit(f"{name} {precision}: results have shape {found.shape}, want {wanted.shape}")
        check(report, name, precision, groups, wanted, found)
        check_independence(report, folder, precision, items, found, compute)


def check_rankings(report: Report, folders: list[pathlib.Path], data: pathlib.Path) -> None:
    report.section("Rankings of real collections, nDCG@10")
    for folder in folders:
        measure = parity_ranking.reranked if folder.name in CROSS_ENCODERS else parity_ranking.retrieved
        for outcome in measure(parity_cli.Model(folder), data, PRECISIONS):
            title = f"{folder.name}, {outcome.collection}"
            report.tell(f"{title}: {', '.join(PRECISIONS)}", ", ".join(f"{outcome.ndcg[p]:.4f}" for p in PRECISIONS))
            loss = 1 - outcome.ndcg["int8"] / outcome.ndcg["f32"]
            report.check(Bound(f"{title}: loss of int8 against f32", loss, "≤", 0.005))
            for precision in list(outcome.scores)[1:]:
                error = np.abs(outcome.scores[precision] - outcome.scores["f32"])
                what = f"{title}: {precision} logits against f32, mean, maximum"
                report.tell(what, f"{error.mean():.6f}, {error.max():.6f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=pathlib.Path, required=True)
    parser.add_argument("--texts", type=int, default=2200, help="per model, at least")
    known = BI_ENCODERS + CROSS_ENCODERS
    parser.add_argument("--only", nargs="+", choices=known + LARGE_BI_ENCODERS, default=known)
    parser.add_argument("--write", type=pathlib.Path, help="also write the table to this file")
    arguments = parser.parse_args()

    report = Report()
    packages = ("sentence-transformers", "transformers", "torch", "tokenizers")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    report.print(f"tandem against {', '.join(versions)}")
    folders = [arguments.models / name for name in arguments.only]
    for folder in folders:
        check_model(report, folder, arguments.texts)
    if data := os.environ.get("TANDEM_DATA"):
        check_rankings(report, folders, pathlib.Path(data))
    else:
        report.print("", "SKIPPED: mixed real text and rankings, because TANDEM_DATA is not set.")
    report.print("", f"{report.broken} bounds broken." if report.broken else "Every bound holds.")
    if arguments.write:
        arguments.write.write_text("\n".join(report.lines) + "\n", encoding="utf-8")
    sys.exit(1 if report.broken else 0)


if __name__ == "__main__":
    main()
