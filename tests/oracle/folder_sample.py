"""Writes tests/goldens/folders: some of folder_parity.py's folders, and what the reference answers, for
tests/cli/folders_test.py to replay without it."""

import collections
import json
import pathlib
import random

import folder_bases as bases
import folder_mutations as mutations
import sentence_transformers
import tokenizers
import transformers

CHOSEN_BASES = (
    ("bert", "bi-old", "full"), ("bert", "bi-new", "json"), ("bert", "cross-config", "old"),
    ("bert", "bi-plain", "slow"),
    ("xlm-roberta", "bi-old", "old"), ("xlm-roberta", "cross-modules", "full"), ("xlm-roberta", "bi-plain", "slow"),
)  # fmt: skip
FOLDERS_MAX, VECTORS_OF = 40, (0, 3, 8)
PER_FILE_MAX = 6
PER_VERDICT_MAX = {"EQUAL_EFFECT": 40, "REFUSED": 6, "BOTH_REFUSE": 3}


class HalfWeights(bases.Weights):
    """One file of half precision for every role of a family: they keep the sample small."""

    def files(self, family: str, labels: int, form: str) -> dict[str, object]:
        return super().files(family, 1, "half")


class Sample:
    """What is written. `trial` says what is in a base folder, `texts` and `pairs` are what each is asked."""

    def __init__(self, place: pathlib.Path, trial, texts: list, pairs: list):
        self.place, self.trial = place, trial
        self.stored = {}  # {content: its file}
        package = {module.__name__: module.__version__ for module in (sentence_transformers, transformers, tokenizers)}
        self.golden = {"made_by": "tests/oracle/folder_parity.py --sample", "versions": package, "texts": texts,
                       "pairs": pairs, "bases": {}, "folders": []}

    def add_base(self, base: tuple) -> None:
        names = {}
        for name, content in bases.base_folder(*base, self.trial.weights).items():
            if isinstance(content, pathlib.Path):
                content = content.read_bytes()
            data = content if isinstance(content, bytes) else bases.dumps(content)
            if data not in self.stored:
                self.stored[data] = f"{base[0]}-{len(self.stored)}-{pathlib.Path(name).name}"
                (self.place / self.stored[data]).write_bytes(data)
            names[name] = self.stored[data]
        self.golden["bases"][" ".join(base)] = names

    def add(self, outcome) -> None:
        changes = [{"file": change.file, "path": change.path, "value": change.value}
                   for change in outcome.folder.changes]
        row = {"base": " ".join(outcome.folder.base()), "changes": changes}
        answers = outcome.reference
        if outcome.verdict == "BOTH_REFUSE":
            row["refused"] = True
        else:
            row["or_refused"] = outcome.verdict == "REFUSED"
            row["tokens"] = [compact(tokens) for tokens in answers["tokenize"].rows]
            results = answers.get("score", answers.get("embed")).rows
            chosen = range(len(results)) if "score" in answers else VECTORS_OF
            row["values"] = {str(index): rounded(results[index]) for index in chosen if results[index] is not None}
        self.golden["folders"].append(row)

    def write(self) -> None:
        lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in self.golden.items() if key != "folders"]
        folders = ",\n".join(json.dumps(row, separators=(",", ":")) for row in self.golden["folders"])
        text = "{" + ",\n".join(lines) + ',\n"folders": [\n' + folders + "\n]}\n"
        (self.place / "folders.json").write_text(text, encoding="utf-8")


def compact(tokens: dict | None) -> dict | None:
    """Token types that are all 0 are left out."""
    return tokens if tokens is None or any(tokens["type_ids"]) else {"ids": tokens["ids"]}


def rounded(row) -> list[float]:
    return [float(f"{value:.6g}") for value in row]


def candidates(folder_of):
    """Folders with one change or two, of every kind that JSON can say, mixed."""
    chance = random.Random(20240229)
    tables = {family: [change for table in (
        mutations.tokenizer_config(family), mutations.other_token_files(family), mutations.tokenizer_json(family),
        mutations.config_json(family), mutations.sentence_mutations(family)) for change in table
        if change.file not in ("weights", "chain")] for family in ("bert", "xlm-roberta")}  # fmt: skip
    while True:
        base = chance.choice(CHOSEN_BASES)
        fitting = [change for change in tables[base[0]] if change.fits(*base[:2])]
        yield folder_of(*base, tuple(chance.sample(fitting, chance.choice([1, 1, 2]))))


def write_sample(place: pathlib.Path, trial, folder_of, texts: list, pairs: list) -> None:
    """`trial` with HalfWeights judges the folders that `folder_of` makes."""
    place.mkdir(parents=True, exist_ok=True)
    for file in place.iterdir():
        file.unlink()
    sample = Sample(place, trial, texts, pairs)
    for base in CHOSEN_BASES:
        sample.add_base(base)
        sample.add(trial.outcome(folder_of(*base)))
    used = collections.Counter()
    for folder in candidates(folder_of):
        if len(sample.golden["folders"]) >= FOLDERS_MAX:
            break
        changed = trial.with_effect(folder)
        files = {change.file for change in changed.changes}
        if not files or any(used[file] >= PER_FILE_MAX for file in files):
            continue
        outcome = trial.outcome(changed)
        if used[outcome.verdict] < PER_VERDICT_MAX.get(outcome.verdict, 0):
            sample.add(outcome)
            used.update([outcome.verdict, *files])
    sample.write()
