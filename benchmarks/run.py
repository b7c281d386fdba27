"""Measures Tandem and its peers in one run on this machine and writes the table: see benchmarks/README.md.

    python run.py --models FOLDER [--force] [--quick] [--only ROW…]
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable

import machine
import numpy as np
import peers
import report
import vocabularies
import workloads

PROJECT = workloads.PROJECT
CACHE = PROJECT / "benchmarks" / ".cache"
RESULTS = PROJECT / "benchmarks" / "results"
TANDEM = pathlib.Path(os.environ.get("TANDEM_BINARY", PROJECT / "build" / "release" / "bin" / "tandem"))
THREADS = 2
ROUNDS = 3
ATTEMPTS = 9  # Rounds that others disturbed are measured again, up to this many in all.
PASSES = 2  # Of a throughput task inside one round, after a warm-up pass.

QUICK_SIZES = workloads.Sizes(passages=60, passages_few=20, passages_memory=200, candidates=10)

CROSS_ENCODER = "ms-marco-MiniLM-L-12-v2"
CROSS_TOKENS_MAX = 512


@dataclasses.dataclass(frozen=True)
class BiEncoder:
    name: str
    tokens_max: int
    passages: str  # Which of the workload's files it embeds.
    onnx: str  # The stem of its ONNX files.


MINILM = BiEncoder("all-MiniLM-L6-v2", tokens_max=256, passages="passages", onnx="bi")
MPNET = BiEncoder("all-mpnet-base-v2", tokens_max=384, passages="passages_few", onnx="mpnet")

# Each of our runs and each of theirs is a process of its own: model loaded, one warm-up pass, PASSES passes measured.
OPENVINO_GRID = [
    {"engine": "openvino", "streams": 2, "batch": 4},
    {"engine": "openvino", "streams": 2, "batch": 8},
    {"engine": "openvino", "streams": 2, "batch": 16},
    {"engine": "openvino", "streams": 1, "batch": 32},
]
ONNXRUNTIME_GRID = [
    {"engine": "onnxruntime", "streams": 2, "batch": 2},
    {"engine": "onnxruntime", "streams": 2, "batch": 4},
    {"engine": "onnxruntime", "streams": 2, "batch": 8},
    {"engine": "onnxruntime", "streams": 1, "batch": 8},
]


def say(text: str) -> None:
    print(f"== {text}", file=sys.stderr, flush=True)


@dataclasses.dataclass
class Reading:
    """One measurement of one side; a lower value is better."""

    value: float
    details: dict


def flops_per_token(folder: pathlib.Path) -> int:
    """Multiplications and additions of the layers' matrix products: 24 layers hidden^2 for the usual widths."""
    config = json.loads((folder / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    return config["num_hidden_layers"] * (8 * hidden * hidden + 4 * hidden * inner)


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.rounds = 1 if arguments.quick else ROUNDS
        self.passes = 1 if arguments.quick else PASSES
        self.bi_folder = arguments.models / MINILM.name
        self.cross_folder = arguments.models / CROSS_ENCODER
        self.rows = []
        self.versions = set()

    # ---------------------------------------------------------------------------------------------- preparation

    def prepare(self) -> None:
        say("writing the texts")
        tokenizer = peers.load_tokenizer(self.bi_folder, MINILM.tokens_max)
        sizes = QUICK_SIZES if self.arguments.quick else workloads.Sizes()
        self.work = workloads.write(CACHE / "texts", tokenizer, sizes)
        self.pairs_by_query = workloads.split_by_query(self.work.pairs)
        exports = [(self.cross_folder, "cross", "rerank")]
        exports += [(self.arguments.models / model.name, model.onnx, "embed") for model in self.bi_encoders()]
        for folder, name, task in exports:
            fingerprint = f"{folder.resolve()} {(folder / 'model.safetensors').stat().st_size}"
            stamp = CACHE / f"{name}.stamp"
            if not stamp.exists() or stamp.read_text() != fingerprint:
                say(f"exporting {folder.name} for the ONNX peers")
                exporter = PROJECT / "benchmarks" / "export_onnx.py"
                machine.run([sys.executable, exporter, folder, CACHE / name, "--task", task])
                stamp.write_text(fingerprint)
        say("asking sentence-transformers for the f32 reference")
        self.embeddings = {
            model: self.reference("embed", self.arguments.models / model.name, getattr(self.work, model.passages))
            for model in self.bi_encoders()
        }
        self.logits = {
            pairs: self.reference("rerank", self.cross_folder, pairs)
            for pairs in (self.work.pairs, self.work.candidates)
            if pairs
        }

    def bi_encoders(self) -> list[BiEncoder]:
        """Those that the chosen rows need: the larger one takes minutes to export."""
        rows = self.arguments.only or ["mpnet"]
        return [MINILM, MPNET] if any(row.startswith("mpnet") for row in rows) else [MINILM]

    def reference(self, task: str, folder: pathlib.Path, texts: pathlib.Path) -> np.ndarray:
        output = CACHE / f"reference-{folder.name}-{texts.stem}.npy"
        script = PROJECT / "benchmarks" / "reference.py"
        result, _ = machine.run_json(
            [sys.executable, script, task, "--model", folder, "--input", texts, "--output", output]
        )
        self.versions.add(result["version"])
        return np.load(output)

    # ---------------------------------------------------------------------------------------------- measuring

    def alternate(self, row: dict, ours: Callable[[], Reading], theirs: Callable[[], Reading]) -> None:
        """Measures both sides in turn and adds the row with the best of each. A round during which other processes
        used too much of the machine is measured again."""
        kept, disturbed = [], 0
        while len(kept) < self.rounds:
            watch = machine.OthersShare()
            pair = (ours(), theirs())
            share = watch.value()
            tokens = [reading.details.get("tokens") for reading in pair]
            if tokens[0] != tokens[1]:
                raise SystemExit(f"{row['title']}: not the same work: {tokens[0]} tokens ours, {tokens[1]} theirs")
            too_busy = share > machine.OTHERS_SHARE_MAX and not self.arguments.force
            say(f"{row['title']}: {pair[0].value:.4g} ours, {pair[1].value:.4g} theirs" + (", disturbed" * too_busy))
            if too_busy:
                disturbed += 1
                if disturbed > ATTEMPTS - self.rounds:
                    raise SystemExit(f"{row['title']}: others keep using more than {machine.OTHERS_SHARE_MAX:.0%}")
                continue
            kept.append((pair, share))
        best = [min((pair[side] for pair, _ in kept), key=lambda reading: reading.value) for side in (0, 1)]
        self.rows.append(
            row
            | {
                "ours": best[0].details | {"best": best[0].value, "rounds": [pair[0].value for pair, _ in kept]},
                "theirs": best[1].details | {"best": best[1].value, "rounds": [pair[1].value for pair, _ in kept]},
                "ratio": best[1].value / best[0].value,
                "others_share": [round(share, 4) for _, share in kept],
                "rounds_disturbed": disturbed,
            }
        )

    def calibrate(self, grid: list[dict], measure: Callable[[dict], Reading]) -> tuple[dict, list]:
        """The best configuration of a peer at this task, by one reading of each."""
        if self.arguments.quick:
            return grid[0], []
        readings = [(configuration, measure(configuration).value) for configuration in grid]
        for configuration, value in readings:
            say(f"   {configuration}: {value:.4g}")
        best = min(readings, key=lambda reading: reading[1])[0]
        return best, [configuration | {"value": value} for configuration, value in readings]

    def peer(self, task: str, configuration: dict, onnx: pathlib.Path, *more) -> dict:
        words = [word for name, value in configuration.items() for word in (f"--{name}", value)]
        script = PROJECT / "benchmarks" / "peers.py"
        result, _ = machine.run_json([sys.executable, script, task, "--onnx", onnx, *words, *more])
        self.versions.add(result["version"])
        return result

    def onnx(self, name: str, precision: str) -> pathlib.Path:
        return CACHE / (f"{name}.int8.onnx" if precision == "int8" else f"{name}.onnx")

    @staticmethod
    def grid(precision: str) -> list[dict]:
        if precision == "int8":
            return ONNXRUNTIME_GRID
        return [configuration | {"precision": precision} for configuration in OPENVINO_GRID]

    # ---------------------------------------------------------------------------------------------- the rows

    def embed(self, model: BiEncoder, precision: str, wanted: float) -> None:
        key = "embed" if model is MINILM else "mpnet"
        folder, passages = self.arguments.models / model.name, getattr(self.work, model.passages)
        output = CACHE / f"theirs-embed-{precision}.npy"

        def theirs(configuration: dict) -> Reading:
            result = self.peer(
                "embed", configuration, self.onnx(model.onnx, precision), "--model", folder,
                "--input", passages, "--output", output, "--tokens-max", model.tokens_max,
                "--threads", THREADS, "--passes", self.passes,
            )  # fmt: skip
            return Reading(min(result["seconds"]), result | {"configuration": configuration})

        def ours() -> Reading:
            result, _ = machine.run_json(
                [TANDEM, "bench", "embed", "--model", folder, "--input", passages,
                 "--precision", precision, "--threads", THREADS, "--repeat", self.passes, "--json"]
            )  # fmt: skip
            return Reading(result["all"]["min_ms"] / 1e3, result)

        best, calibration = self.calibrate(self.grid(precision), theirs)
        row = {
            "key": f"{key}-{precision}",
            "kind": "embed",
            "title": f"{model.name} {precision}, {len(self.embeddings[model]):,} passages",
            "unit": "s",
            "precision": precision,
            "flops_per_token": flops_per_token(folder),
            "wanted": wanted,
            "calibration": calibration,
        }
        self.alternate(row, ours, lambda: theirs(best))
        mine = CACHE / f"ours-embed-{precision}.npy"
        machine.run(
            [TANDEM, "embed", "--model", folder, "--input", passages, "--output", mine,
             "--precision", precision, "--threads", THREADS]
        )  # fmt: skip
        for side, path in (("ours", mine), ("theirs", output)):
            cosines = report.cosines(self.embeddings[model], np.load(path))
            self.rows[-1][side] |= {"cosine_mean": float(cosines.mean()), "cosine_min": float(cosines.min())}

    def rerank(self, precision: str, wanted: float) -> None:
        """One call per query, as an application reranks; the value is the sum over the queries."""

        def peer(configuration: dict, pairs: pathlib.Path, *more) -> dict:
            return self.peer(
                "rerank", configuration, self.onnx("cross", precision), "--model", self.cross_folder,
                "--input", pairs, "--tokens-max", CROSS_TOKENS_MAX, "--threads", THREADS, *more,
            )  # fmt: skip

        def theirs(configuration: dict) -> Reading:
            results = [peer(configuration, part.pairs, "--passes", self.passes) for part in self.pairs_by_query]
            details = {"tokens": sum(result["tokens"] for result in results), "version": results[0]["version"]}
            seconds = sum(min(result["seconds"]) for result in results)
            return Reading(seconds, details | {"configuration": configuration})

        def ours() -> Reading:
            results = [
                machine.run_json(
                    [TANDEM, "bench", "rerank", "--model", self.cross_folder, "--query", part.query,
                     "--input", part.documents, "--precision", precision, "--threads", THREADS,
                     "--repeat", self.passes, "--json"]
                )[0]
                for part in self.pairs_by_query
            ]  # fmt: skip
            details = {"tokens": sum(result["tokens"] for result in results), "compute": results[0]["compute"]}
            return Reading(sum(result["all"]["min_ms"] for result in results) / 1e3, details)

        best, calibration = self.calibrate(self.grid(precision), theirs)
        row = {
            "key": f"rerank-{precision}",
            "kind": "rerank",
            "title": f"{CROSS_ENCODER} {precision}, 3 queries × {self.work.sizes.candidates} passages",
            "unit": "s",
            "precision": precision,
            "flops_per_token": flops_per_token(self.cross_folder),
            "wanted": wanted,
            "calibration": calibration,
        }
        self.alternate(row, ours, lambda: theirs(best))
        output = CACHE / f"theirs-rerank-{precision}.npy"
        for pairs, reference in self.logits.items():
            peer(best, pairs, "--output", output)
            scores = machine.run(
                [TANDEM, "score", "--model", self.cross_folder, "--input", pairs, "--activation", "none",
                 "--precision", precision, "--threads", THREADS]
            ).output  # fmt: skip
            mine = np.array(scores.split(), np.float32).reshape(reference.shape)
            for side, logits in (("ours", mine), ("theirs", np.load(output))):
                errors = np.abs(logits - reference)
                found = {"mean": float(errors.mean()), "max": float(errors.max())}
                self.rows[-1][side].setdefault("logit_errors", {})[pairs.stem] = found

    def latency(self, precision: str, wanted: float | None) -> None:
        """Against ONNX Runtime int8 whatever our precision: that is the one to beat for a single query."""
        configuration = {"engine": "onnxruntime", "streams": 1, "threads": 1}

        def theirs() -> Reading:
            result = self.peer(
                "latency", configuration, self.onnx("bi", "int8"), "--model", self.bi_folder,
                "--input", self.work.queries, "--tokens-max", MINILM.tokens_max,
            )  # fmt: skip
            return Reading(result["median_ms"], result | {"configuration": configuration})

        def ours() -> Reading:
            result, _ = machine.run_json(
                [TANDEM, "bench", "embed", "--model", self.bi_folder, "--input", self.work.queries,
                 "--precision", precision, "--threads", 1, "--repeat", 5, "--json"]
            )  # fmt: skip
            return Reading(result["single"]["p50_ms"], result)

        row = {
            "key": f"latency-{precision}",
            "title": f"one query of 8–12 tokens, warm, one thread, {precision} (peer: int8)",
            "unit": "ms",
            "wanted": wanted,
        }
        self.alternate(row, ours, theirs)

    def tokenize(self, kind: str, wanted: float) -> None:
        folder = self.bi_folder if kind == "wordpiece" else vocabularies.write(CACHE / "tokenizers", self.work, kind)

        def theirs() -> Reading:
            script = PROJECT / "benchmarks" / "peers.py"
            result, _ = machine.run_json(
                [sys.executable, script, "tokenize", "--model", folder, "--input", self.work.passages_tokenize,
                 "--tokens-max", MINILM.tokens_max, "--threads", 1, "--passes", self.passes]
            )  # fmt: skip
            self.versions.add(result["version"])
            return Reading(min(result["seconds"]), result | {"configuration": {"call": result["call"]}})

        def ours() -> Reading:
            result, _ = machine.run_json(
                [TANDEM, "bench", "tokenize", "--model", folder, "--input", self.work.passages_tokenize,
                 "--max-length", MINILM.tokens_max, "--repeat", 5, "--json"]
            )  # fmt: skip
            return Reading(result["all"]["min_ms"] / 1e3, result)

        key = "tokenize" if kind == "wordpiece" else f"tokenize-{kind}"
        title = f"tokenising, one thread, {vocabularies.describe(kind, folder)}"
        self.alternate({"key": key, "kind": "tokenize", "title": title, "unit": "s", "wanted": wanted}, ours, theirs)

    def load_tokenizer(self) -> None:
        """The largest vocabulary that people use, XLM-R's size: from its file to a tokenizer that is ready."""
        folder = vocabularies.write(CACHE / "tokenizers", self.work, "unigram")

        def theirs() -> Reading:
            script = PROJECT / "benchmarks" / "peers.py"
            result, _ = machine.run_json([sys.executable, script, "load", "--model", folder, "--passes", 5])
            return Reading(min(result["seconds"]), result | {"configuration": {"call": "from_file"}})

        def ours() -> Reading:
            result, _ = machine.run_json([TANDEM, "bench", "tokenize", "--model", folder, "--input",
                                          self.work.queries, "--repeat", 5, "--json"])  # fmt: skip
            return Reading(result["load"]["min_ms"] / 1e3, {})

        title = f"loading {vocabularies.describe('unigram', folder)}, file in page cache"
        row = {"key": "load-unigram", "title": title, "unit": "s", "wanted": None, "value_max": 0.150}
        self.alternate(row, ours, theirs)

    def start(self, precision: str, wanted: float | None) -> None:
        text = workloads.SHORT_QUERIES[0].encode() + b"\n"
        offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "OMP_NUM_THREADS": str(THREADS)}
        program = PROJECT / "benchmarks" / "first_embedding.py"
        our_command = [TANDEM, "embed", "--model", self.bi_folder, "--precision", precision, "--threads", THREADS]
        their_command = [sys.executable, program, self.bi_folder]

        def ours() -> Reading:
            return Reading(machine.seconds_to_first_output(our_command, text), {})

        def theirs() -> Reading:
            return Reading(machine.seconds_to_first_output(their_command, text, offline), {})

        ours(), theirs()  # Brings both programs and the model into the page cache.
        row = {
            "key": f"start-{precision}",
            "title": f"process start to first embedding, model in page cache, {precision}",
            "unit": "s",
            "wanted": wanted,
            "value_max": 0.250,
        }
        self.alternate(row, ours, theirs)

    def memory(self) -> None:
        output = CACHE / "ours-memory.npy"
        sample = machine.run(
            [TANDEM, "embed", "--model", self.bi_folder, "--input", self.work.passages_memory, "--output", output,
             "--precision", "f32", "--threads", THREADS]
        )  # fmt: skip
        # The kernel counts what this process had when it forked, so the figure is an upper bound.
        self.rows.append(
            {
                "key": "memory",
                "title": f"peak memory, {MINILM.name} f32, {self.work.sizes.passages_memory:,} passages",
                "unit": "MiB",
                "ours": {"best": sample.rss_peak_bytes / 2**20},
                "value_max": 300,
            }
        )

    # ---------------------------------------------------------------------------------------------- the whole

    def run(self) -> dict:
        rows = {
            "embed-f32": lambda: self.embed(MINILM, "f32", 1.0),
            "embed-bf16": lambda: self.embed(MINILM, "bf16", 1.1),
            "embed-int8": lambda: self.embed(MINILM, "int8", 1.5),
            "mpnet-f32": lambda: self.embed(MPNET, "f32", 1.0),
            "mpnet-bf16": lambda: self.embed(MPNET, "bf16", 1.05),
            "mpnet-int8": lambda: self.embed(MPNET, "int8", 1.5),
            "rerank-bf16": lambda: self.rerank("bf16", 1.25),
            "rerank-int8": lambda: self.rerank("int8", 1.8),
            "latency-int8": lambda: self.latency("int8", 1.3),
            "latency-bf16": lambda: self.latency("bf16", None),
            "latency-f32": lambda: self.latency("f32", None),
            "tokenize": lambda: self.tokenize("wordpiece", 4.0),
            "tokenize-bpe": lambda: self.tokenize("bpe", 3.0),
            "tokenize-unigram": lambda: self.tokenize("unigram", 3.0),
            "load-unigram": self.load_tokenizer,
            "start-f32": lambda: self.start("f32", 20.0),
            "start-auto": lambda: self.start("auto", None),
            "memory": self.memory,
        }
        if unknown := set(self.arguments.only or ()) - set(rows):
            raise SystemExit(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(rows)}")
        quiet = machine.require_quiet(self.arguments.force)
        say("measuring the machine's own peak")
        peak, _ = machine.run_json([CACHE / "peak", THREADS])
        self.prepare()
        for key, measure in rows.items():
            if not self.arguments.only or key in self.arguments.only:
                say(key)
                measure()
        commit = subprocess.run(
            ["git", "-C", PROJECT, "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True
        ).stdout.strip()
        return {
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "command": "make bench",
            "commit": commit,
            "machine": machine.describe(),
            "quiet": quiet,
            "peak": peak,
            "threads": THREADS,
            "rounds": self.rounds,
            "texts": self.work.source,
            "versions": sorted(self.versions),
            "rows": self.rows,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folders = f"holds {MINILM.name}, {MPNET.name} and {CROSS_ENCODER}"
    parser.add_argument("--models", type=pathlib.Path, required=True, help=folders)
    parser.add_argument("--force", action="store_true", help="measure beside other work: the figures mean little")
    parser.add_argument("--quick", action="store_true", help="tiny inputs, one round: to try the benchmark itself")
    parser.add_argument("--only", nargs="+", metavar="ROW", help="these rows only")
    arguments = parser.parse_args()
    results = Bench(arguments).run()
    table = report.markdown(results)
    print(table)
    # Only a whole, honest run is published.
    if arguments.quick or arguments.force or arguments.only:
        (CACHE / "latest.json").write_text(json.dumps(results, indent=1) + "\n")
        say(f"not a full run on a quiet machine: kept in {CACHE / 'latest.json'} alone")
        return
    RESULTS.mkdir(exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", f"{machine.processor_name()} {os.cpu_count()}".lower()).strip("-")
    path = RESULTS / f"{results['date'][:10]}-{slug}.json"
    # Where the project lies is nobody's business.
    path.write_text(json.dumps(results, indent=1).replace(f"{PROJECT}/", "") + "\n")
    (RESULTS / "latest.md").write_text(table)
    report.put_into_readme(PROJECT / "README.md", table)
    say(f"written: {path.relative_to(PROJECT)}, benchmarks/results/latest.md, README.md")


if __name__ == "__main__":
    main()
