#!/usr/bin/env python3
"""Writes tests/goldens/tokenizer_kinds.jsonl with the Hugging Face `tokenizers` package and SentencePiece.

    pip install tokenizers==0.23.3 sentencepiece==0.2.3 protobuf
    python tests/oracle/tokenizer_kinds_goldens.py > tests/goldens/tokenizer_kinds.jsonl

The first line holds the packages' versions. A line with "definition" starts a tokenizer: a whole tokenizer.json, with a
small vocabulary trained here. The lines after it are cases as in tokenizer.jsonl: see tokenizer_goldens.py.
"""

import base64
import io
import json
import pathlib
import sys
import tempfile

import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import tokenizer_kinds as kinds
from tokenizer_goldens import TRAINING_TEXT, case
from tokenizer_parity import Comparison, Text, options

LINES = TRAINING_TEXT.strip().splitlines()[:8]
# Replacements of one, several and no characters, of characters alone and of two together.
RULES = {"\uff21": "A", "\u2122": "TM", "\u00ad": "", "\u0041\u0308": "\u00c4", "\u0065\u0301": "\u00e9", "\t": " "}
TEXTS = [
    "",
    " ", "A bicycle  built for two.", "it's we'LL  1999 roads\r\n\n  end ", "The first rider\u2122 e\u0301 A\u0308x",
    "<mask> a <mask>b</s>", "\u00ad\u00adxyz \uff21\uff21",
    "\u4e2d\u6587 \U0001f468\u200d\U0001f469\u200d\U0001f467 ok", "\u2581\u2581 the\tsecond", "search " * 9 + "s" * 40,
]


def byte_level_bpe():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=names, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    ids = model["vocab"]
    added = kinds.roberta_added(ids)
    yield kinds.definition(
        model, added, pre_tokenizer=kinds.byte_level(True), post_processor=kinds.roberta_processing(ids, True, True)
    )


def unigram():
    stream = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder, "rules.tsv")
        lines = ("\t".join(" ".join(f"{ord(c):X}" for c in text) for text in rule) + "\n" for rule in RULES.items())
        rules.write_text("".join(lines), encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(LINES), model_writer=stream, vocab_size=90, hard_vocab_limit=False,
            normalization_rule_tsv=str(rules), minloglevel=2, num_threads=1,
        )
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(stream.getvalue())
    model = kinds.unigram_model(proto)
    model["vocab"] = [[piece, round(score, 4)] for piece, score in model["vocab"]]
    ids = {piece: index for index, (piece, _) in enumerate(model["vocab"])}
    added = kinds.special_tokens({name: ids[name] for name in ("<s>", "<pad>", "</s>", "<unk>")})
    added.append(kinds.added_token("<mask>", ids["<mask>"], special=True, lstrip=True))
    spaces = kinds.replace(" {2,}", " ", regex=True)
    yield kinds.definition(
        model,
        added,
        normalizer=kinds.steps("normalizer", kinds.precompiled(proto), spaces, {"type": "NFC"}),
        pre_tokenizer=kinds.steps("pre", {"type": "WhitespaceSplit"}, kinds.metaspace()),
        post_processor=kinds.template("<s>", "</s>", ids),
    )


def main():
    def write(line):
        print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))

    write({"tokenizers": tokenizers.__version__, "sentencepiece": sentencepiece.__version__})
    for definition in (*byte_level_bpe(), *unigram()):
        write({"definition": definition})
        comparison = Comparison(None, definition)
        for index, text in enumerate(TEXTS):
            second = TEXTS[(index * 3 + 1) % len(TEXTS)] if index % 3 == 2 else None
            chosen = options(
                tokens_max=(0, 0, 9)[index % 3], unit=("chars", "bytes")[index % 2], side=("right", "left")[index // 5]
            )
            line = case(comparison, Text(text.encode()), Text(second.encode()) if second is not None else None, chosen)
            if line is not None:
                write(line)


if __name__ == "__main__":
    sys.exit(main())
