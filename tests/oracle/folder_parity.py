"""Makes model folders at random and compares Tandem with sentence-transformers on each: every folder gives what the
reference gives, or is refused with a reason.

    python folder_parity.py [--folders 2000] [--seed 1] [--only N]   random folders, up to three changes each
    python folder_parity.py --each [--families bert roberta]         every single change, where it can matter

folder_bases.py has the base folders, folder_mutations.py what may be changed in them. Verdicts: EQUAL, or EQUAL_EFFECT
where the changes have an effect; REFUSED by Tandem alone, or REFUSED_NO_EFFECT where the reference answers as before
the change; BOTH_REFUSE; LENIENT, where the reference alone fails; and failures: DIFFERENT results, CRASH, VAGUE
messages that name no file, key or class, REFUSED_BASE, and REFUSED_HARMLESS, where what was changed must not matter.
Ends with status 1 on failures.
"""

import argparse
import collections
import contextlib
import dataclasses
import functools
import itertools
import json
import logging
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["TQDM_DISABLE"] = "1"
import folder_bases as bases
import folder_mutations as mutations
import folder_sample
import numpy as np
import parity_cli
import sentence_transformers
import torch
import transformers

TEXTS = [
    "The cat sat on the Mat.",
    "Caf\u00e9 NA\u00cfVE \u0130stanbul, cafe\u0301!",
    "\u4e2d\u6587\u5b57 and \uff21\uff22 \u2122",
    "a [SEP] b <mask> c [MASK]d </s> e<s>NOTUSED [unused0] f [CLS]",
    "text <extra>  the[NEW] The  <EXTRA> x",
    "",
    " \t\u00a0\u3000",
    "  two  spaces\u00a0and\ttabs\u200b \u00ad\u0007end ",
    "what is the model for search of one text or a long passage when it is slow, " * 4,
    "supercalifragilisticexpialidociousword" * 4,
    "<pad> [PAD] 12,345.67 d'o\u00f9 \U0001f600 <unk>[UNK]",
    "who was it? query: how large",
]
PAIRS = [
    ("who was it?", "The cat sat on the Mat."),
    ("Caf\u00e9 NA\u00cfVE", "\u4e2d\u6587\u5b57 and \uff21\uff22"),
    ("a [SEP] b <mask>", "text <extra> the[NEW] </s> [unused0] x"),
    ("", ""),
    ("the", ""),
    ("what is the model for search of one text or a long passage " * 3, "it is slow, one two three " * 4),
    ("  spaces ", "\ttabs\u200b \u0007"),
    ("how large", "supercalifragilisticexpialidociousword" * 2 + " <pad> 12,345.67 \U0001f600"),
]
QUERIES, DOCUMENTS = [TEXTS[0], TEXTS[11]], [TEXTS[index] for index in (0, 1, 3, 4, 8, 11)]
FAILURES = ("DIFFERENT", "CRASH", "VAGUE", "REFUSED_HARMLESS", "REFUSED_BASE")
VERDICTS = (*FAILURES, "REFUSED_NO_EFFECT", "REFUSED", "LENIENT", "BOTH_REFUSE", "EQUAL", "EQUAL_EFFECT")
AGREEMENT = ("EQUAL", "EQUAL_EFFECT", "BOTH_REFUSE")
COSINE_MIN, COMPONENT_MAX, SCORE_MAX = 0.99999, 2e-5, 1e-3
NAMES_A_PLACE = re.compile(r"\.(json|txt|model|bin|safetensors|jinja)\b|'[^']+'|\"[^\"]+\"|\b[a-z]+_[a-z_]+\b")
TIMEOUT_S = 20


@dataclasses.dataclass
class Answer:
    """What one side says of one command: a row for each text, None where it fails on that text, or an error."""

    rows: list | None = None
    error: str = ""


@dataclasses.dataclass
class Folder:
    family: str
    role: str
    form: str
    changes: tuple = ()

    def base(self) -> tuple[str, str, str]:
        return self.family, self.role, self.form

    def is_cross(self) -> bool:
        return self.role in bases.CROSS_ROLES


@dataclasses.dataclass
class Outcome:
    folder: Folder
    verdict: str
    what: str = ""
    reference: dict | None = None


# ----------------------------------------------------------------------------------------------------------- reference


def silence() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    transformers.dynamic_module_utils.TIME_OUT_REMOTE_CODE = 0  # Nobody is there to ask.
    torch.set_num_threads(1)
    # Without what the Rust behind tokenizers prints.
    sys.stdout = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def short(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:220]}"


def reason(error: Exception, folder: pathlib.Path) -> str:
    """AutoProcessor keeps what a tokenizer complained of to itself."""
    if "Unrecognized processing class" not in str(error):
        return short(error)
    try:
        transformers.AutoTokenizer.from_pretrained(folder)
    except Exception as inner:  # pylint: disable=broad-except
        return short(inner)
    return short(error)


def one_by_one(compute, items: list) -> Answer:
    """All at once where that works, else each alone."""
    rows, errors = [], ["no finite numbers"]
    with contextlib.suppress(Exception):
        rows = rows_of(compute(items), len(items))
    for item in [] if rows else items:
        try:
            rows += rows_of(compute([item]), 1)
        except Exception as error:  # pylint: disable=broad-except
            rows.append(None)
            errors.append(short(error))
    return Answer(None, errors[-1]) if all(row is None for row in rows) else Answer(rows)


def rows_of(result, count: int) -> list:
    """Vectors, or scores as vectors of one or more labels. What is not finite is no answer."""
    if isinstance(result, list):
        return result
    rows = np.asarray(result, np.float64).reshape(count, -1)
    return [row if np.isfinite(row).all() else None for row in rows]


def features_of(model, items: list) -> list[dict]:
    rows = []
    for item in items:
        features = model.preprocess([item])
        ids = features["input_ids"][0].tolist()
        # A model without token types is given none, and Tandem's are all 0 for it.
        types = features["token_type_ids"][0].tolist() if "token_type_ids" in features else [0] * len(ids)
        rows.append({"ids": ids, "type_ids": types})
    return rows


def reference_answers(folder: pathlib.Path, is_cross: bool, with_roles: bool) -> dict[str, Answer]:
    """{command: answer}; {"load": error} where nothing could be loaded."""
    options = {"device": "cpu", "local_files_only": True, "model_kwargs": {"dtype": torch.float32}}
    quiet = {"batch_size": 1, "show_progress_bar": False}
    try:
        if is_cross:
            model = sentence_transformers.CrossEncoder(str(folder), **options)
            return {
                "tokenize": one_by_one(lambda pairs: features_of(model, pairs), PAIRS),
                "score": one_by_one(lambda pairs: model.predict(pairs, **quiet), PAIRS),
            }
        model = sentence_transformers.SentenceTransformer(str(folder), **options)
    except Exception as error:  # pylint: disable=broad-except
        return {"load": Answer(error=reason(error, folder))}
    answers = {
        "tokenize": one_by_one(lambda texts: features_of(model, texts), TEXTS),
        "embed": one_by_one(lambda texts: model.encode(texts, **quiet), TEXTS),
    }
    if with_roles:
        for name in [name for name, prompt in model.prompts.items() if prompt]:
            encode = functools.partial(model.encode, prompt_name=name, **quiet)
            answers[f"prompt {name}"] = one_by_one(encode, DOCUMENTS)
        answers["roles"] = role_products(model, quiet)
    return answers


def role_products(model, options: dict) -> Answer:
    """[queries][documents]: the products of their vectors."""
    try:
        queries, documents = model.encode_query(QUERIES, **options), model.encode_document(DOCUMENTS, **options)
        return Answer(rows_of(queries @ documents.T, len(QUERIES)))
    except Exception as error:  # pylint: disable=broad-except
        return Answer(error=short(error))


# -------------------------------------------------------------------------------------------------------------- Tandem


class Program:
    """The tandem binary, on texts in files."""

    def __init__(self, binary: pathlib.Path, place: pathlib.Path):
        self.binary, self.place = binary, place
        self.environment = dict(os.environ, TANDEM_HOME=str(place / "home"), HF_HOME=str(place / "hf"))
        self.write("texts", [{"text": text} for text in TEXTS])
        self.write("documents", [{"_id": str(index), "text": text} for index, text in enumerate(DOCUMENTS)])
        self.write("queries", [{"_id": str(index), "text": text} for index, text in enumerate(QUERIES)])
        self.write("pairs", [{"query": query, "document": document} for query, document in PAIRS])

    def write(self, name: str, rows: list[dict]) -> None:
        (self.place / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(self, *words) -> Answer:
        """Lines of JSON, or numbers between tabs. A crash is an error that begins with CRASH or VAGUE."""
        command = [str(word) for word in (self.binary, *words)]
        try:
            process = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, env=self.environment, check=False)
        except subprocess.TimeoutExpired:
            return Answer(error=f"CRASH: no answer in {TIMEOUT_S} s")
        message = process.stderr.decode(errors="replace").strip()
        if process.returncode not in (0, 1, 2):
            return Answer(error=f"CRASH: status {process.returncode}: {message[-300:]}")
        if process.returncode:
            is_clear = message.startswith("tandem: ") and "\n" not in message and NAMES_A_PLACE.search(message)
            return Answer(error=message if is_clear else f"VAGUE: {message}")
        return Answer([parsed(line) for line in process.stdout.decode().splitlines()])

    def input(self, name: str) -> list:
        return ["--input", self.place / f"{name}.jsonl"]

    def options(self, folder: pathlib.Path) -> list:
        return ["--model", folder, "--offline"]

    def answers(self, folder: pathlib.Path, is_cross: bool, commands: list[str]) -> dict[str, Answer]:
        options, compute = self.options(folder), ["--precision", "f32", "--threads", "1"]
        pairs, texts, documents = (self.input(name) for name in ("pairs", "texts", "documents"))
        result = {}
        for command in commands:
            if command == "tokenize":
                result[command] = self.run("tokenize", *(["--pair", *pairs] if is_cross else texts), *options)
            elif command == "score":
                result[command] = self.run("score", *pairs, *options, *compute)
            elif command == "embed":
                result[command] = self.run("embed", *texts, *options, *compute)
            elif command == "roles":
                result[command] = self.products(options + compute)
            else:
                name = command.removeprefix("prompt ")
                result[command] = self.run("embed", *documents, "--prompt", name, *options, *compute)
        return result

    def products(self, options: list) -> Answer:
        """As role_products()."""
        collection = self.place / "collection"
        shutil.rmtree(collection, ignore_errors=True)
        built = self.run("index", collection, self.place / "documents.jsonl", "--metric", "ip", *options)
        if built.error:
            return built
        queries = self.place / "queries.jsonl"
        found = self.run("search", collection, "--queries", queries, "--mode", "bi", "--json", *options)
        if found.error:
            return found
        return Answer([scores_by_document(row) for row in found.rows])


def scores_by_document(row: dict) -> np.ndarray:
    scores = {result["id"]: result["retrieval_score"] for result in row["results"]}
    return np.array([scores.get(str(index), np.nan) for index in range(len(DOCUMENTS))])


def parsed(line: str):
    if line.startswith(("[", "{")):
        value = json.loads(line)
        return np.array(value, np.float64) if isinstance(value, list) else value
    return np.array([float(word) for word in line.split("\t")]) if re.match(r"-?[\d.]", line) else {}


# ---------------------------------------------------------------------------------------------------------- comparison


def tokens_differ(wanted: dict, found: dict) -> str:
    for key, words in (("ids", "ids"), ("type_ids", "type ids")):
        old, new = wanted[key], found[key]
        if old != new:
            place = next((index for index, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
            start = max(0, place - 3)
            return (f"{words} from {start} of {len(old)}: {old[start:place + 12]} became, from {start} of {len(new)}: "
                    f"{new[start:place + 12]}")
    return ""


def rows_differ(command: str, wanted, found) -> str:
    if command == "tokenize":
        return tokens_differ(wanted, found)
    if wanted.shape != found.shape:
        return f"shape {wanted.shape} became {found.shape}"
    error = np.abs(wanted - found).max()
    scale = max(1.0, np.abs(wanted).max())
    if command == "roles":
        return "" if error <= 10 * COMPONENT_MAX * scale else f"product off by {error:.2g}"
    if command == "score":
        return "" if error <= SCORE_MAX else f"score off by {error:.3g}: {wanted[:3]} became {found[:3]}"
    norms = np.linalg.norm(wanted) * np.linalg.norm(found)
    cosine = (wanted @ found) / norms if norms else 1.0
    is_same = error <= COMPONENT_MAX * scale and cosine >= COSINE_MIN
    return "" if is_same else f"component off by {error:.3g}, cosine {cosine:.6f}"


def differences(command: str, wanted: Answer, found: Answer) -> dict[int, str]:
    """{input: how it differs}."""
    if len(wanted.rows) != len(found.rows):
        return {-1: f"{len(wanted.rows)} rows became {len(found.rows)}"}
    pairs = enumerate(zip(wanted.rows, found.rows))
    return {index: what for index, (row, ours) in pairs
            if row is not None and (what := rows_differ(command, row, ours))}


def all_differences(reference: dict[str, Answer], ours: dict[str, Answer]) -> dict[tuple[str, int], str]:
    """{(command, input): how it differs}; token types last, which not every model reads."""
    found = {}
    for command, answer in ours.items():
        wanted = reference.get(command, reference.get("load"))
        if answer.rows is not None and wanted.rows is not None:
            found |= {(command, index): what for index, what in differences(command, wanted, answer).items()}
    return dict(sorted(found.items(), key=lambda item: item[1].startswith("type ids")))


def without_failing_items(reference: dict[str, Answer]) -> dict[str, Answer]:
    """Tokens are compared only where the reference's model takes them: more than its positions fail there."""
    results = reference.get("score", reference.get("embed"))
    tokens = reference.get("tokenize")
    if results is None or results.rows is None or tokens.rows is None:
        return reference
    rows = [None if result is None else row for row, result in zip(tokens.rows, results.rows)]
    return reference | {"tokenize": Answer(rows)}


def judge(reference: dict[str, Answer], ours: dict[str, Answer], known: frozenset = frozenset()) -> tuple[str, str]:
    """The verdict, and what it rests on. `known` are differences that the base folder has already."""
    refusals = [f"{command}: {answer.error}" for command, answer in ours.items() if answer.error]
    for word in ("CRASH", "VAGUE"):
        if bad := [refusal for refusal in refusals if f": {word}" in refusal]:
            return word, bad[0]
    differing = [f"{command}: input {index}: {what}"
                 for (command, index), what in all_differences(reference, ours).items()
                 if (command, index) not in known]
    if differing:
        is_typed = "type ids" in differing[-1] and len(differing) > 1
        return "DIFFERENT", differing[0] + (f"; {differing[-1]}" if is_typed else "")
    main = "score" if "score" in ours else "embed"
    wanted = reference.get(main, reference.get("load"))
    if wanted.rows is None and not ours[main].error:
        return "LENIENT", f"{main}: {wanted.error}"
    if refusals:
        return ("BOTH_REFUSE" if wanted.rows is None else "REFUSED"), f"{refusals[-1]} | {wanted.error}"
    return "EQUAL", ""


def same_answers(left: dict[str, Answer], right: dict[str, Answer]) -> bool:
    """Whether a change had no effect on the reference."""
    for command in ("tokenize", "embed", "score"):
        if (command in left) != (command in right):
            return False
        if command in left:
            first, second = left[command], right[command]
            if first.rows is None or second.rows is None:
                return False
            if [row is None for row in first.rows] != [row is None for row in second.rows]:
                return False
            if differences(command, first, second):
                return False
    return True


# -------------------------------------------------------------------------------------------------------------- trying

KEYS_WITH_ROLES = (
    "(file)", "prompts", "default_prompt_name", "similarity_fn_name", "truncate_dim", "query_length",
    "document_length", "query_expansion", "include_prompt", "processing_kwargs",
)  # fmt: skip


class Trial:
    """Writes folders, asks both sides, compares."""

    def __init__(self, place: pathlib.Path, binary: pathlib.Path, weights: type = bases.Weights):
        (place / "weights").mkdir()
        self.weights = weights(place / "weights")
        self.program = Program(binary, place)
        self.place = place
        self.number = 0
        self.base_answers = functools.cache(lambda base: self.answers(Folder(*base)))

    def weights_of(self, *words):
        return self.weights.module_files(*words) if len(words) == 2 else self.weights.files(*words)

    def with_effect(self, folder: Folder) -> Folder:
        """Without the changes that change nothing, such as a value that is there already."""
        files = bases.base_folder(*folder.base(), self.weights)
        changes = tuple(change for change in folder.changes if mutations.apply(files, change, self.weights_of))
        return dataclasses.replace(folder, changes=changes)

    def write(self, folder: Folder, path: pathlib.Path) -> None:
        files = bases.base_folder(*folder.base(), self.weights)
        for change in folder.changes:
            mutations.apply(files, change, self.weights_of)
        bases.write_folder(bases.placed(files, folder.role), path)

    def ask(self, folder: Folder) -> tuple[dict, dict]:
        return self.answers(folder) if folder.changes else self.base_answers(folder.base())

    def answers(self, folder: Folder) -> tuple[dict, dict]:
        """The reference's and Tandem's."""
        self.number += 1
        path = self.place / f"f{self.number}"
        with_roles = not folder.changes or any(change.key() in KEYS_WITH_ROLES for change in folder.changes)
        try:
            self.write(folder, path)
            reference = without_failing_items(reference_answers(path, folder.is_cross(), with_roles))
            commands = [name for name in reference if name != "load"]
            commands = commands or ["tokenize", "score" if folder.is_cross() else "embed"]
            return reference, self.program.answers(path, folder.is_cross(), commands)
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def outcome(self, folder: Folder) -> Outcome:
        asked = self.ask(folder)
        base = self.base_answers(folder.base())
        verdict, what = judge(*asked, frozenset(all_differences(*base) if folder.changes else ()))
        if verdict == "REFUSED" and not folder.changes:
            verdict = "REFUSED_BASE"
        elif verdict == "REFUSED" and same_answers(asked[0], base[0]):
            is_harmless = all(change.harmless for change in folder.changes)
            verdict = "REFUSED_HARMLESS" if is_harmless else "REFUSED_NO_EFFECT"
        elif verdict in ("DIFFERENT", "REFUSED") and self.is_random(folder, asked[0]):
            verdict = "BOTH_REFUSE" if verdict == "REFUSED" else "LENIENT"
            what = f"the reference draws weights at random | {what}"
        elif verdict == "EQUAL" and folder.changes and not same_answers(asked[0], base[0]):
            verdict = "EQUAL_EFFECT"
        return Outcome(folder, verdict, what, asked[0])

    def is_random(self, folder: Folder, first: dict) -> bool:
        """Whether the reference, which makes weights that are missing, answers something else each time."""
        if not any(change.file in ("config.json", "weights", "sentence_bert_config.json") for change in folder.changes):
            return False
        path = self.place / "again"
        try:
            self.write(folder, path)
            return bool(all_differences(first, reference_answers(path, folder.is_cross(), False)))
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def smallest(self, outcome: Outcome) -> Outcome:
        """The outcome with the fewest of its changes that is the same still."""
        changes = outcome.folder.changes
        for dropped in changes:
            left = tuple(change for change in changes if change is not dropped)
            smaller = self.outcome(dataclasses.replace(outcome.folder, changes=left))
            if smaller.verdict == outcome.verdict:
                return self.smallest(smaller)
        return outcome


# ------------------------------------------------------------------------------------------------------------- folders


@functools.cache
def mutations_of(family: str) -> dict[str, list]:
    return {
        "tokenizer_config": mutations.tokenizer_config(family),
        "tokens": mutations.other_token_files(family),
        "tokenizer": mutations.tokenizer_json(family),
        "config": mutations.config_json(family),
        "sentence": mutations.sentence_mutations(family),
        "raw": mutations.raw_changes(),
    }


def all_mutations(family: str) -> list:
    return [change for group in mutations_of(family).values() for change in group]


def random_folder(seed: int, number: int, families: list[str]) -> Folder:
    chance = random.Random(f"{seed}/{number}")
    family, role, form = chance.choice(families), chance.choice(bases.ROLES), chance.choice(bases.FORMS)
    fitting = {group: [change for change in changes if change.fits(family, role)]
               for group, changes in mutations_of(family).items()}
    changes = []
    for _ in range(chance.choice([0, 1, 1, 2, 2, 2, 3, 3])):
        change = chance.choice(fitting[chance.choice([group for group in fitting if fitting[group]])])
        if all((change.file, change.path) != (other.file, other.path) for other in changes):
            changes.append(change)
    return Folder(family, role, form, tuple(changes))


def bases_for(group: str, family: str, change) -> list[tuple[str, str]]:
    """The (role, form) on which a single change is tried: where it can matter, and not where it does the same again."""
    plain, cross = ("bi-old", "full"), ("cross-plain", "full")
    if group == "sentence":
        if family not in ("bert", "roberta", "xlm-roberta"):
            return [plain]
        without = [("bi-plain", "slow"), cross, ("cross-config", "full")] if not change.path else []
        return [plain, ("bi-new", "new"), ("cross-modules", "full"), *without]
    if group == "config":
        chosen = [plain, cross]
        chosen += [("cross-config", "full"), ("cross-modules", "full")] if family == "bert" else []
        return chosen + ([("bi-plain", "slow"), ("bi-old", "json")] if "type" in change.key() else [])
    if "tokenizer_class" in change.path:
        return [cross, plain, *(("bi-old", form) for form in ("json", "slow", "old"))]
    if group == "raw":
        slow = itertools.product(("bi-plain", "cross-plain"), ("slow", "old"))
        return [plain, ("bi-new", "both"), *slow]
    if family in ("distilbert", "electra"):
        return [plain]
    if group == "tokenizer":
        return [cross, plain] + ([("bi-old", "json")] if family in ("bert", "roberta", "xlm-roberta") else [])
    if family in ("bert", "roberta"):
        forms = ("new", "both") if group == "tokens" else ()
        return [cross, plain, *(("bi-old", form) for form in ("json", "slow", "old", *forms))]
    return [cross, plain, ("bi-plain", "slow")]


def every_folder(families: list[str], seed: int) -> list[Folder]:
    """The base folders, then each single change, mixed: a summary on the way shows something of everything."""
    unchanged = [Folder(*base) for base in itertools.product(families, bases.ROLES, bases.FORMS)]
    changed = [Folder(family, role, form, (change,))
               for family in families
               for group, changes in mutations_of(family).items()
               for change in changes
               for role, form in bases_for(group, family, change)
               if change.fits(family, role)]
    random.Random(seed).shuffle(changed)
    return unchanged + changed


# ------------------------------------------------------------------------------------------------------------- reports


class Report:
    def __init__(self):
        self.counts = collections.Counter()
        self.causes = {verdict: collections.defaultdict(list) for verdict in VERDICTS}

    def add(self, outcome: Outcome, name: str) -> None:
        self.counts[outcome.verdict] += 1
        if outcome.verdict not in AGREEMENT:
            case = name, " ".join(outcome.folder.base()), outcome.what
            self.causes[outcome.verdict][outcome.folder.changes].append(case)

    def text(self, title: str) -> str:
        counts = (f"{verdict} {self.counts[verdict]}" for verdict in VERDICTS if self.counts[verdict])
        lines = [title, f"{sum(self.counts.values())} folders: {', '.join(counts)}"]
        for verdict in VERDICTS:
            if self.causes[verdict]:
                lines += ["", f"==== {verdict}: {len(self.causes[verdict])} causes, {self.counts[verdict]} folders"]
                lines += self.by_key(self.causes[verdict], 4 if verdict in FAILURES else 1)
        return "\n".join(lines) + "\n"

    @staticmethod
    def by_key(causes: dict[tuple, list], examples_max: int) -> list[str]:
        """Causes under the files and keys that they change, worst first."""
        groups = collections.defaultdict(dict)
        for changes, cases in causes.items():
            key = " & ".join(f"{change.file}: {change.key()}" for change in changes) or "(base folder)"
            groups[key][" & ".join(change.value_text() for change in changes)] = cases
        lines = []
        for key, values in sorted(groups.items(), key=lambda item: -sum(map(len, item[1].values()))):
            lines.append(f"{sum(map(len, values.values())):5} {key}")
            for value, cases in sorted(values.items(), key=lambda item: -len(item[1])):
                lines.append(f"    {len(cases):5} = {value}")
                lines += [f"            {line}" for line in examples(cases, examples_max)]
        return lines


def examples(cases: list[tuple[str, str, str]], count: int) -> list[str]:
    """One case for each kind of difference, and the other bases that have it."""
    kinds = collections.defaultdict(list)
    for name, base, what in cases:
        kinds[re.sub(r"/\S*/f\d+", "FOLDER", re.sub(r"\d+(\.\d+)?", "0", what))[:60]].append((name, base, what))
    lines = []
    for group in sorted(kinds.values(), key=len, reverse=True)[:count]:
        name, base, what = group[0]
        others = f" [+{len(group) - 1}: {'; '.join(base for _, base, _ in group[1:7])}]" if len(group) > 1 else ""
        lines.append(f"{name}: {base}: {re.sub(r'/[^ ]*/f[0-9]+', 'FOLDER', what)}{others}")
    return lines


def keep(trial: Trial, outcome: Outcome, name: str, place: pathlib.Path) -> None:
    target = place / name
    if outcome.verdict in FAILURES and not target.exists():
        trial.write(outcome.folder, target)
        changes = [change.name() for change in outcome.folder.changes]
        (target / "folder_parity.json").write_text(json.dumps({"verdict": outcome.verdict, "what": outcome.what,
                                                                "changes": changes}, indent=1))


def folders_of(arguments: argparse.Namespace):
    """(name, folder) in their order."""
    if arguments.each:
        every = every_folder(arguments.families, arguments.seed)
        chosen = ((number, every[number]) for number in arguments.only or range(len(every)))
    else:
        chosen = ((number, random_folder(arguments.seed, number, arguments.families))
                  for number in arguments.only or range(arguments.folders))
    for number, folder in chosen:
        if not arguments.match or any(re.search(arguments.match, change.name()) for change in folder.changes):
            yield (f"each-{number}" if arguments.each else f"{arguments.seed}-{number}"), folder


def check(arguments: argparse.Namespace, trial: Trial) -> Report:
    report, started, written = Report(), time.monotonic(), time.monotonic()
    for name, folder in folders_of(arguments):
        changed = trial.with_effect(folder)
        if arguments.each and folder.changes and not changed.changes:
            continue
        outcome = trial.outcome(changed)
        if outcome.verdict not in AGREEMENT:
            outcome = trial.smallest(outcome)
        report.add(outcome, name)
        if arguments.keep:
            keep(trial, outcome, name, arguments.keep)
        if arguments.only:
            changes = [change.name() for change in folder.changes]
            print(outcome.verdict, *folder.base(), *changes, outcome.what, sep="\n  ")
        if arguments.write and time.monotonic() - written > 60:
            written = time.monotonic()
            arguments.write.write_text(report.text(f"after {written - started:.0f} s, {name}"))
    title = f"{arguments.tandem}, {time.monotonic() - started:.0f} s"
    print(report.text(title))
    if arguments.write:
        arguments.write.write_text(report.text(title))
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tandem", type=pathlib.Path, default=parity_cli.TANDEM, help="the program")
    parser.add_argument("--families", nargs="+", choices=bases.FAMILIES, default=list(bases.FAMILIES))
    parser.add_argument("--each", action="store_true", help="every single change instead of random ones")
    parser.add_argument("--folders", type=int, default=2000, help="how many random folders")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, nargs="+", metavar="N", help="only the folders of these numbers")
    parser.add_argument("--match", help="only folders with a change that this regular expression finds")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="where folders that fail are kept")
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE", help="also writes the summary to a file")
    parser.add_argument("--sample", type=pathlib.Path, metavar="DIR", help="writes goldens of a few folders, and ends")
    arguments = parser.parse_args()
    silence()
    with tempfile.TemporaryDirectory() as place:
        if arguments.sample:
            trial = Trial(pathlib.Path(place), arguments.tandem, folder_sample.HalfWeights)
            folder_sample.write_sample(arguments.sample, trial, Folder, TEXTS, PAIRS)
            return
        report = check(arguments, Trial(pathlib.Path(place), arguments.tandem))
    sys.exit(any(report.counts[verdict] for verdict in FAILURES))


if __name__ == "__main__":
    main()
