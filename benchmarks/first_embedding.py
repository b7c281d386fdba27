"""The shortest sentence-transformers program that embeds standard input: `python first_embedding.py MODEL_FOLDER`."""

import sys

from sentence_transformers import SentenceTransformer

model = SentenceTransformer(sys.argv[1], device="cpu")
print(model.encode(sys.stdin.read().strip()).tolist(), flush=True)
