"""What sentence-transformers says in f32: embeddings of texts, logits of pairs, each as a .npy file.

    python reference.py embed|rerank --model FOLDER --input F.jsonl --output F.npy
"""

import argparse
import json
import os

os.environ["HF_HUB_OFFLINE"] = "1"
import numpy as np
import sentence_transformers
import torch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("embed", "rerank"))
    parser.add_argument("--model", required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    with open(arguments.input, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    options = {"device": "cpu", "model_kwargs": {"dtype": torch.float32}}
    if arguments.task == "embed":
        model = sentence_transformers.SentenceTransformer(arguments.model, **options)
        results = model.encode([row["text"] for row in rows])
    else:
        model = sentence_transformers.CrossEncoder(arguments.model, **options)
        pairs = [(row["query"], row["document"]) for row in rows]
        results = model.predict(pairs, activation_fn=torch.nn.Identity()).reshape(len(pairs), -1)
    np.save(arguments.output, np.asarray(results, np.float32))
    print(json.dumps({"version": f"sentence-transformers {sentence_transformers.__version__}"}))


if __name__ == "__main__":
    main()
