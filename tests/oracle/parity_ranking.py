"""What precision costs a ranking: nDCG@10 of real collections under $TANDEM_DATA, through the tandem program."""

import collections
import csv
import dataclasses
import itertools
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np
import pytrec_eval
from parity_cli import Model
from parity_texts import Item, read_jsonl

RETRIEVED_COLLECTIONS = ("stackfaq", "cranfield")
RERANKED_COLLECTION = "trec-dl19-pool"


@dataclasses.dataclass
class Outcome:
    """A collection ranked in each precision."""

    collection: str
    ndcg: dict[str, float] = dataclasses.field(default_factory=dict)
    scores: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)  # A cross-encoder's, pair by pair.


def read_qrels(path: pathlib.Path) -> dict[str, dict[str, int]]:
    qrels = collections.defaultdict(dict)
    with open(path, encoding="utf-8", newline="") as file:
        for query_id, document_id, grade in itertools.islice(csv.reader(file, delimiter="\t"), 1, None):
            qrels[query_id][document_id] = int(grade)
    return dict(qrels)


def ndcg_at_10(qrels: dict, run: dict) -> float:
    evaluated = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"}).evaluate(run)
    return float(np.mean([values["ndcg_cut_10"] for values in evaluated.values()]))


def texts_of(path: pathlib.Path) -> dict[str, str]:
    return {row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in read_jsonl(path)}


def retrieved(model: Model, data: pathlib.Path, precisions: Sequence[str]) -> Iterator[Outcome]:
    """Exact search with a bi-encoder."""
    for name in RETRIEVED_COLLECTIONS:
        qrels = read_qrels(data / name / "qrels" / "test.tsv")
        documents = texts_of(data / name / "corpus.jsonl")
        queries = {key: text for key, text in texts_of(data / name / "queries.jsonl").items() if key in qrels}
        outcome = Outcome(f"{name} ({len(queries):,} queries, {len(documents):,} documents)")
        for precision in precisions:
            rows, columns = (
                model.embed([Item("", (text.encode(),)) for text in texts.values()], precision)
                for texts in (queries, documents)
            )
            run = {
                query: dict(zip(documents, map(float, scores))) for query, scores in zip(queries, rows @ columns.T)
            }
            outcome.ndcg[precision] = ndcg_at_10(qrels, run)
        yield outcome


def reranked(model: Model, data: pathlib.Path, precisions: Sequence[str]) -> Iterator[Outcome]:
    """BM25's first hundred reranked by a cross-encoder."""
    folder = data / RERANKED_COLLECTION
    qrels = read_qrels(folder / "qrels" / "test.tsv")
    documents, queries = texts_of(folder / "corpus.jsonl"), texts_of(folder / "queries.jsonl")
    candidates = [line.split()[::2][:2] for line in (folder / "runs" / "BM25.trec").read_text().splitlines()]
    candidates = [(query, document) for query, document in candidates if query in qrels and document in documents]
    pairs = [Item("", (queries[query].encode(), documents[document].encode())) for query, document in candidates]
    outcome = Outcome(f"{RERANKED_COLLECTION} ({len(pairs):,} pairs)")
    for precision in precisions:
        outcome.scores[precision] = model.score(pairs, precision)[:, 0]
        run = collections.defaultdict(dict)
        for (query, document), score in zip(candidates, outcome.scores[precision]):
            run[query][document] = float(score)
        outcome.ndcg[precision] = ndcg_at_10(qrels, dict(run))
    yield outcome
