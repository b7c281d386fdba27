"""Spearman's correlation of cosines with human judgements, through the tandem program, in every precision.

    TANDEM_DATA=… python sts_spearman.py --model FOLDER

The published figures are those of MTEB, in f32; the program ends with status 1 when f32 is further than TOLERANCE from
them.
"""

import argparse
import csv
import os
import pathlib
import sys

import numpy as np
import scipy.stats
from parity_cli import Model
from parity_texts import Item

PUBLISHED = {
    "all-MiniLM-L6-v2": {"stsb": 82.03, "sts13": 80.60, "sts15": 85.39, "sick": 77.58},
    "all-mpnet-base-v2": {"stsb": 83.42, "sts13": 83.48, "sts15": 85.66, "sick": 80.59},
}
TOLERANCE = 0.02


# MTEB takes all of SICK, not its test part alone.
FILES = {"sick": ("train.tsv", "dev.tsv", "pairs.tsv")}


def read_pairs(folder: pathlib.Path) -> tuple[list[str], list[str], np.ndarray]:
    rows = []
    for name in FILES.get(folder.name, ("pairs.tsv",)):
        with open(folder / name, encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    scores = np.array([float(row["score"]) for row in rows])
    return [row["sentence1"] for row in rows], [row["sentence2"] for row in rows], scores


def spearman(model: Model, folder: pathlib.Path, precision: str) -> float:
    left, right, scores = read_pairs(folder)
    vectors = model.embed([Item("", (text.encode(),)) for text in left + right], precision).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = (vectors[: len(left)] * vectors[len(left) :]).sum(1)
    return 100 * scipy.stats.spearmanr(cosines, scores).statistic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--precisions", nargs="+", default=["f32", "bf16", "int8"])
    arguments = parser.parse_args()
    if "TANDEM_DATA" not in os.environ:
        sys.exit("sts_spearman.py needs TANDEM_DATA: a folder with stsb/pairs.tsv and the others")
    missed = False
    print(f"| Spearman x 100 | published | {' | '.join(arguments.precisions)} |")
    print(f"|---|---|{'---|' * len(arguments.precisions)}")
    for name, published in PUBLISHED[arguments.model.name.rpartition("--")[2]].items():
        folder = pathlib.Path(os.environ["TANDEM_DATA"], name)
        values = {item: spearman(Model(arguments.model), folder, item) for item in arguments.precisions}
        print(f"| {name} | {published} | {' | '.join(f'{value:.2f}' for value in values.values())} |", flush=True)
        missed |= abs(values.get("f32", published) - published) > TOLERANCE
    if missed:
        sys.exit(f"f32 is further than {TOLERANCE} from the published figures")


if __name__ == "__main__":
    main()
