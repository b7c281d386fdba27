"""The texts of the benchmark, written once as JSON lines that both sides read.

Passages come from $TANDEM_DATA/msmarco-passages-5000.jsonl where that is set, which is what published tables use; else
from the descriptions of Debian packages that every Debian machine has, cut to the same lengths in tokens.
"""

import collections
import dataclasses
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys

import tokenizers

PROJECT = pathlib.Path(__file__).resolve().parent.parent
PASSAGES_DISTINCT = 5000

# Eight to twelve tokens each for an uncased English vocabulary, the two special ones included.
SHORT_QUERIES = (
    "how do I reset my password",
    "capital city of New Zealand today",
    "best way to store fresh basil",
    "symptoms of vitamin D deficiency in adults",
    "how long does concrete take to cure",
    "what causes the northern lights to appear",
    "convert miles to kilometers in a spreadsheet",
    "are tomatoes fruits or vegetables in law",
    "difference between a virus and a worm",
    "how far away is the moon",
)
PACKAGE_QUESTIONS = (
    "which tool converts images between file formats",
    "library for reading compressed archives",
    "play music from the command line",
)


@dataclasses.dataclass(frozen=True)
class Sizes:
    passages: int = 1000  # To embed.
    passages_few: int = 300  # To embed with a model eight times as large.
    passages_memory: int = 10_000  # To embed while memory is watched.
    candidates: int = 100  # To rerank, per query.


@dataclasses.dataclass
class Workload:
    source: str  # Where the passages came from, for the report.
    sizes: Sizes
    passages: pathlib.Path  # {"text"}
    passages_few: pathlib.Path  # {"text"}, the first of them.
    passages_tokenize: pathlib.Path  # {"text"}, every distinct passage.
    passages_memory: pathlib.Path  # {"text"}
    pairs: pathlib.Path  # {"query", "document"}: three queries, each with the first passages, most of them irrelevant.
    candidates: pathlib.Path | None  # {"query", "document"}: the same queries with what BM25 found for them.
    queries: pathlib.Path  # {"text"}: SHORT_QUERIES, over and over.


def write(folder: pathlib.Path, tokenizer: tokenizers.Tokenizer, sizes: Sizes) -> Workload:
    folder.mkdir(parents=True, exist_ok=True)
    data = os.environ.get("TANDEM_DATA")
    if data:
        source = "MS MARCO passages, TREC DL 2019 queries"
        passages = [row["text"] for row in read_jsonl(pathlib.Path(data, "msmarco-passages-5000.jsonl"))]
        candidates = trec_candidates(pathlib.Path(data, "trec-dl19-pool"), sizes.candidates)
        queries = list(dict.fromkeys(row["query"] for row in candidates))
    else:
        source = "descriptions of Debian packages, cut to the lengths of MS MARCO passages"
        passages, candidates, queries = package_passages(tokenizer), None, PACKAGE_QUESTIONS

    def texts(items):
        return ({"text": text} for text in items)

    pairs = [{"query": query, "document": text} for query in queries for text in passages[: sizes.candidates]]
    return Workload(
        source=source,
        sizes=sizes,
        passages=write_jsonl(folder / "passages.jsonl", texts(passages[: sizes.passages])),
        passages_few=write_jsonl(folder / "passages-few.jsonl", texts(passages[: sizes.passages_few])),
        passages_tokenize=write_jsonl(folder / "passages-tokenize.jsonl", texts(passages)),
        passages_memory=write_jsonl(
            folder / "passages-memory.jsonl", texts(itertools.islice(itertools.cycle(passages), sizes.passages_memory))
        ),
        pairs=write_jsonl(folder / "pairs.jsonl", pairs),
        candidates=write_jsonl(folder / "candidates.jsonl", candidates) if candidates else None,
        queries=write_jsonl(folder / "queries.jsonl", texts(SHORT_QUERIES * 20)),
    )


@dataclasses.dataclass
class QueryPairs:
    """The pairs of one query, in the two forms that the two sides read."""

    query: str
    pairs: pathlib.Path  # {"query", "document"}
    documents: pathlib.Path  # {"text"}


def split_by_query(pairs: pathlib.Path) -> list[QueryPairs]:
    parts = []
    for query, group in itertools.groupby(read_jsonl(pairs), key=lambda row: row["query"]):
        rows, stem = list(group), f"{pairs.stem}-{len(parts)}"
        documents = ({"text": row["document"]} for row in rows)
        parts.append(
            QueryPairs(
                query=query,
                pairs=write_jsonl(pairs.with_name(f"{stem}.jsonl"), rows),
                documents=write_jsonl(pairs.with_name(f"{stem}-documents.jsonl"), documents),
            )
        )
    return parts


def trec_candidates(folder: pathlib.Path, candidates_max: int) -> list[dict]:
    """The first three queries, each with the first `candidates_max` documents of BM25's run, as pairs."""
    documents = {row["_id"]: row["text"] for row in read_jsonl(folder / "corpus.jsonl")}
    candidates = collections.defaultdict(list)
    for line in (folder / "runs" / "BM25.trec").read_text(encoding="utf-8").splitlines():
        query_id, _, document_id, *_ = line.split()
        if document_id in documents:
            candidates[query_id].append(documents[document_id])
    queries = itertools.islice(read_jsonl(folder / "queries.jsonl"), 3)
    return [
        {"query": row["text"], "document": document}
        for row in queries
        for document in candidates[row["_id"]][:candidates_max]
    ]


def package_passages(tokenizer: tokenizers.Tokenizer) -> list[str]:
    """Descriptions one after another, cut into PASSAGES_DISTINCT passages whose lengths in tokens are drawn from the
    distribution of MS MARCO passages (mean 82, standard deviation 32, from 24 to 211), the special tokens included."""
    available = subprocess.run(["apt-cache", "dumpavail"], stdout=subprocess.PIPE, check=True).stdout
    converter = [sys.executable, PROJECT / "scripts" / "packages_to_jsonl.py", "--count", "20000"]
    documents = subprocess.run(converter, input=available, stdout=subprocess.PIPE, check=True).stdout
    words = [word for line in documents.decode().splitlines() for word in json.loads(line)["text"].split()]
    if not words:
        raise SystemExit("apt knows no package descriptions: run `apt-get update`, or set TANDEM_DATA")
    # The vocabularies in question split at blanks first, so the tokens of words add up to those of a passage.
    distinct = list(set(words))
    encodings = tokenizer.encode_batch_fast(distinct, add_special_tokens=False)
    tokens_of = {word: len(encoding) for word, encoding in zip(distinct, encodings)}

    generator, stream, passages = random.Random(1), itertools.cycle(words), []
    for _ in range(PASSAGES_DISTINCT):
        tokens_wanted = min(211.0, max(24.0, generator.gauss(82, 32)))
        passage, tokens = [], 2
        while tokens < tokens_wanted:
            passage.append(next(stream))
            tokens += tokens_of[passage[-1]]
        passages.append(" ".join(passage))
    return passages


def read_jsonl(path: pathlib.Path):
    with open(path, encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def write_jsonl(path: pathlib.Path, rows) -> pathlib.Path:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return path
