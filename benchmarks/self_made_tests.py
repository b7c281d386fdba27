#!/usr/bin/env python3
"""How far the tests that `tandem advise` makes itself can be trusted: settings ranked by them, and by judgements.

Usage: self_made_tests.py FOLDER…, each with corpus.jsonl, queries.jsonl and qrels/test.tsv as BEIR has them. Prints a
table: Kendall's tau-b between the two rankings of the settings, and whether the recommendation is the same, and what
following the self-made test's costs by the judged one.
"""

import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TANDEM = os.environ.get("TANDEM", str(ROOT / "build/release/bin/tandem"))
METRIC = "ndcg@10"
OPTIONS = ["--depths", "20,10,5", "--alphas", "1,0.7,0.3", "--budget", "none", "--sample", "100", "--model",
           "sentence-transformers/all-MiniLM-L6-v2", "--model", "BAAI/bge-small-en-v1.5", "--json"]


def advise(*arguments):
    """The JSON of an advice, or None where no test can be made."""
    result = subprocess.run([TANDEM, "advise", *map(str, arguments), *OPTIONS], capture_output=True, text=True,
                            check=False)
    if "no test can be made" in result.stderr:
        return None
    if result.returncode != 0:
        sys.exit(result.stderr)
    return json.loads(result.stdout)


def quality(advice):
    """The mean of each setting, by its name."""
    return {setting["name"]: setting["metrics"][METRIC]["mean"] for setting in advice["settings"]}


def sign(number):
    return (number > 0) - (number < 0)


def kendall_tau(one, other):
    """Tau-b, which knows ties (Kendall 1945); None where everything ties."""
    together = pairs_one = pairs_other = 0
    for a, b in itertools.combinations(sorted(one), 2):
        x, y = sign(one[a] - one[b]), sign(other[a] - other[b])
        together += x * y
        pairs_one += x * x
        pairs_other += y * y
    return together / (pairs_one * pairs_other) ** 0.5 if pairs_one and pairs_other else None


def compare(folder, cache):
    """The lines of one set."""
    corpus = folder / "corpus.jsonl"
    common = [corpus, "--cache", cache]
    judged = advise(*common, "--queries", folder / "queries.jsonl", "--qrels", folder / "qrels/test.tsv")
    truth = quality(judged)
    wanted = judged["recommendation"]["setting"]
    for source in ("titles", "sentences"):
        made = advise(*common, "--queries-from", source)
        if made is None:
            print(f"| {folder.name} | {source} | – | – | – | – | – | – |", flush=True)
            continue
        tau = kendall_tau(truth, quality(made))
        chosen = made["recommendation"]["setting"]
        best, best_made = max(truth, key=truth.get), quality(made)
        loss = truth[best] - truth[max(best_made, key=best_made.get)]
        print(f"| {folder.name} | {source} | {judged['queries']} / {made['queries']} | {tau:.2f} | {wanted} | {chosen} "
              f"| {truth[chosen] - truth[wanted]:+.3f} | {loss:.3f} |", flush=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    print("| set | self-made from | queries: judged / self-made | tau | recommended by judgements | recommended by the "
          f"self-made test | {METRIC} of that, against the former | lost with its best setting |\n"
          "|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        for name in sys.argv[1:]:
            folder = pathlib.Path(name)
            compare(folder, pathlib.Path(temporary) / f"{folder.name}.cache")


if __name__ == "__main__":
    main()
