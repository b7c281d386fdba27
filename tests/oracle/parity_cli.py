"""Runs the tandem program on items of the parity check, as its users run it."""

import json
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Sequence

import numpy as np
from parity_texts import PROJECT, Item

TANDEM = pathlib.Path(os.environ.get("TANDEM_BINARY", PROJECT / "build" / "release" / "bin" / "tandem"))
KEYS = {1: ("text",), 2: ("query", "document")}


def run(*words) -> str:
    if not TANDEM.exists():
        raise SystemExit(f"{TANDEM} does not exist: run `make build`, or set TANDEM_BINARY")
    command = [str(word) for word in (TANDEM, *words)]
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    if process.returncode != 0:
        raise SystemExit(f"failed ({process.returncode}): {' '.join(command)}\n{process.stderr}")
    return process.stdout


class Model:
    """A model folder behind the program. Every method takes items in any order and answers in that order."""

    def __init__(self, folder: pathlib.Path, threads: int = 2):
        self.folder = folder
        self.threads = threads

    def embed(self, items: Sequence[Item], precision: str) -> np.ndarray:
        def embed_file(path: pathlib.Path) -> np.ndarray:
            output = path.with_suffix(".npy")
            run("embed", "--input", path, "--output", output, *self.options(precision))
            return np.load(output)

        return self.per_file(items, embed_file)

    def score(self, items: Sequence[Item], precision: str) -> np.ndarray:
        """Raw logits, [pairs, labels]."""

        def score_file(path: pathlib.Path) -> np.ndarray:
            lines = run("score", "--input", path, "--activation", "none", *self.options(precision)).splitlines()
            return np.array([line.split("\t") for line in lines], np.float32)

        return self.per_file(items, score_file)

    def tokenize(self, items: Sequence[Item]) -> list[dict]:
        """{"ids", "type_ids"} of each item."""

        def tokenize_file(path: pathlib.Path) -> np.ndarray:
            pair = ["--pair"] if len(items[0].parts) == 2 else []
            output = run("tokenize", "--model", self.folder, "--input", path, "--offline", *pair)
            return np.array([json.loads(line) for line in output.splitlines()], object)

        return list(self.per_file(items, tokenize_file))

    def options(self, precision: str) -> list:
        return ["--model", self.folder, "--precision", precision, "--threads", self.threads, "--offline"]

    @staticmethod
    def per_file(items: Sequence[Item], work) -> np.ndarray:
        """JSON lines hold any text but invalid UTF-8, which goes as lines of a plain file. Puts both results together.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            valid = np.array([item.is_utf8() for item in items])
            results = []
            for chosen, name, encode in ((valid, "items.jsonl", json_line), (~valid, "items.txt", plain_line)):
                if chosen.any():
                    file = path / name
                    file.write_bytes(b"".join(encode(item) for item, is_in in zip(items, chosen) if is_in))
                    results.append((chosen, work(file)))
            together = np.empty((len(items), *results[0][1].shape[1:]), results[0][1].dtype)
            for chosen, rows in results:
                if len(rows) != chosen.sum():
                    raise SystemExit(f"{TANDEM} answered {len(rows)} results for {chosen.sum()} inputs")
                together[chosen] = rows
            return together


def json_line(item: Item) -> bytes:
    return json.dumps(dict(zip(KEYS[len(item.parts)], item.decoded()))).encode() + b"\n"


def plain_line(item: Item) -> bytes:
    return b"\t".join(item.parts) + b"\n"
