"""Measures one peer at one task and prints one JSON line, as `tandem bench` does for ours.

    python peers.py embed    --engine openvino --precision bf16 --onnx F.onnx --model FOLDER --input F.jsonl
    python peers.py rerank   --engine onnxruntime …              --input PAIRS.jsonl
    python peers.py latency  --engine onnxruntime …              --input QUERIES.jsonl
    python peers.py tokenize --model FOLDER --input F.jsonl
    python peers.py load     --model FOLDER

What is timed goes from texts to results in memory, tokenisation included, as a program that embeds these libraries
would do it: their own tokeniser, batches sorted by length and padded to their longest, int64 inputs, pooling inside the
graph. One pass over everything comes first, so that whatever an engine compiles per shape has been compiled.
"""

import argparse
import concurrent.futures
import json
import os
import statistics
import threading
import time

import numpy as np
import tokenizers


def load_tokenizer(folder: str, tokens_max: int) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokenizer.enable_truncation(tokens_max)
    tokenizer.no_padding()
    return tokenizer


def padded(encodings, pair: bool) -> list[np.ndarray]:
    """ids, mask and type ids of a batch, [sequences, longest]."""
    shape = (len(encodings), max(len(encoding) for encoding in encodings))
    ids, mask, types = (np.zeros(shape, np.int64) for _ in range(3))
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding)] = encoding.ids
        mask[row, : len(encoding)] = 1
        if pair:
            types[row, : len(encoding)] = encoding.type_ids
    return [ids, mask, types]


class OnnxRuntime:
    """`streams` sessions of `threads` threads each, every one fed by a Python thread of its own."""

    def __init__(self, path: str, streams: int, threads: int):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.sessions = [
            onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]) for _ in range(streams)
        ]
        self.names = [item.name for item in self.sessions[0].get_inputs()]
        self.workers = concurrent.futures.ThreadPoolExecutor(streams)
        self.version = f"onnxruntime {onnxruntime.__version__}"

    def run_one(self, inputs: list[np.ndarray]) -> np.ndarray:
        return self.sessions[0].run(None, dict(zip(self.names, inputs)))[0]

    def run_all(self, batches, consume) -> None:
        """Takes the next batch whenever a session is free; `consume(key, rows)` gets each result."""
        lock, source = threading.Lock(), iter(batches)

        def work(session):
            while True:
                with lock:
                    item = next(source, None)
                if item is None:
                    return
                consume(item[0], session.run(None, dict(zip(self.names, item[1])))[0])

        for future in [self.workers.submit(work, session) for session in self.sessions]:
            future.result()


class OpenVino:
    """One compiled model: asynchronous requests over `streams` streams, `streams * threads` threads in all."""

    def __init__(self, path: str, precision: str, streams: int, threads: int):
        import openvino

        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": streams * threads,
            "NUM_STREAMS": streams,
            "PERFORMANCE_HINT": "THROUGHPUT" if streams > 1 else "LATENCY",
        }
        self.model = openvino.Core().compile_model(path, "CPU", settings)
        self.queue = openvino.AsyncInferQueue(self.model)
        self.inputs = len(self.model.inputs)
        self.version = f"openvino {openvino.__version__.split('-')[0]}"

    def run_one(self, inputs: list[np.ndarray]) -> np.ndarray:
        return self.model(inputs[: self.inputs])[0]

    def run_all(self, batches, consume) -> None:
        self.queue.set_callback(lambda request, key: consume(key, request.get_output_tensor().data))
        for key, inputs in batches:
            self.queue.start_async(dict(enumerate(inputs[: self.inputs])), key)
        self.queue.wait_all()


def load_engine(arguments):
    threads = max(1, arguments.threads // arguments.streams)
    if arguments.engine == "openvino":
        return OpenVino(arguments.onnx, arguments.precision, arguments.streams, threads)
    return OnnxRuntime(arguments.onnx, arguments.streams, threads)


def measure_throughput(arguments) -> dict:
    """Seconds for all texts or pairs at once, in each of `passes` passes."""
    pair = arguments.task == "rerank"
    tokenizer, engine = load_tokenizer(arguments.model, arguments.tokens_max), load_engine(arguments)
    with open(arguments.input, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    texts = [(row["query"], row["document"]) if pair else row["text"] for row in rows]
    tokens = 0
    results = None

    def run_pass() -> float:
        nonlocal tokens, results
        rows_done = {}
        begin = time.perf_counter()
        encodings = tokenizer.encode_batch_fast(texts)
        order = sorted(range(len(texts)), key=lambda index: -len(encodings[index]))
        chunks = [order[start : start + arguments.batch] for start in range(0, len(order), arguments.batch)]
        batches = ((chunk[0], padded([encodings[index] for index in chunk], pair)) for chunk in chunks)
        engine.run_all(batches, lambda key, rows: rows_done.__setitem__(key, np.array(rows, np.float32)))
        results = np.empty((len(texts), rows_done[order[0]].shape[1]), np.float32)
        for chunk in chunks:
            results[chunk] = rows_done[chunk[0]]
        seconds = time.perf_counter() - begin
        tokens = sum(len(encoding) for encoding in encodings)
        return seconds

    run_pass()
    seconds = [run_pass() for _ in range(arguments.passes)]
    if arguments.output:
        np.save(arguments.output, results)
    return {"texts": len(texts), "tokens": tokens, "seconds": seconds, "version": engine.version}


def measure_latency(arguments) -> dict:
    """Milliseconds for one text after another, in one thread: the median over all of them, after one warm-up pass."""
    tokenizer, engine = load_tokenizer(arguments.model, arguments.tokens_max), load_engine(arguments)
    with open(arguments.input, encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]

    def call(text: str) -> np.ndarray:
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        return engine.run_one([ids, np.ones_like(ids), np.zeros_like(ids)])[0]

    def milliseconds(text: str) -> float:
        begin = time.perf_counter()
        call(text)
        return (time.perf_counter() - begin) * 1e3

    for text in texts:
        call(text)
    samples = [milliseconds(text) for text in texts]
    tokens = sum(len(tokenizer.encode(text)) for text in texts)
    return {"texts": len(texts), "tokens": tokens, "median_ms": statistics.median(samples), "version": engine.version}


def measure_tokenizing(arguments) -> dict:
    """Seconds to turn all texts into ids, by whichever of its calls is fastest in one thread."""
    tokenizer = load_tokenizer(arguments.model, arguments.tokens_max)
    with open(arguments.input, encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    calls = {
        "encode_batch_fast": lambda: tokenizer.encode_batch_fast(texts),
        "encode_batch": lambda: tokenizer.encode_batch(texts),
        "encode": lambda: [tokenizer.encode(text) for text in texts],
    }
    seconds = {}
    for name, call in calls.items():
        call()
        seconds[name] = []
        for _ in range(arguments.passes):
            begin = time.perf_counter()
            encodings = call()
            seconds[name].append(time.perf_counter() - begin)
    best = min(seconds, key=lambda name: min(seconds[name]))
    tokens = sum(len(encoding) for encoding in encodings)
    version = f"tokenizers {tokenizers.__version__}"
    return {"texts": len(texts), "tokens": tokens, "seconds": seconds[best], "call": best, "version": version}


def measure_loading(arguments) -> dict:
    """Seconds from tokenizer.json to a tokenizer that is ready."""
    seconds = []
    for _ in range(arguments.passes):
        begin = time.perf_counter()
        load_tokenizer(arguments.model, arguments.tokens_max)
        seconds.append(time.perf_counter() - begin)
    return {"seconds": seconds, "version": f"tokenizers {tokenizers.__version__}"}


def main() -> None:
    tasks = {
        "embed": measure_throughput,
        "rerank": measure_throughput,
        "latency": measure_latency,
        "tokenize": measure_tokenizing,
        "load": measure_loading,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=tasks)
    parser.add_argument("--engine", choices=("onnxruntime", "openvino"))
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32", help="arithmetic, for OpenVINO")
    parser.add_argument("--onnx", help="the exported model")
    parser.add_argument("--model", required=True, help="the folder with tokenizer.json")
    parser.add_argument("--input")
    parser.add_argument("--output", help="a .npy file for the results")
    parser.add_argument("--tokens-max", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2, help="in all")
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--passes", type=int, default=1)
    arguments = parser.parse_args()
    # Read by the tokeniser's own thread pool when it first starts.
    os.environ["RAYON_NUM_THREADS"] = str(arguments.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if arguments.threads > 1 else "false"
    print(json.dumps(tasks[arguments.task](arguments)))


if __name__ == "__main__":
    main()
