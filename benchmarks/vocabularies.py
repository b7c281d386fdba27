"""Tokenizers to measure beside the WordPiece of the models: byte-level BPE as RoBERTa has it, and Unigram with as many
pieces as XLM-RoBERTa, in folders with tokenizer.json.

BPE has GPT-2's own vocabulary where `make test` got it, else one that is trained on the texts of the benchmark. Unigram
has the most frequent substrings of words of these texts: as many pieces as the published vocabularies, and as long a
way through their trie. SentencePiece's nmt_nfkc table is its normaliser.
"""

import collections
import io
import json
import math
import pathlib

import sentencepiece
import tokenizers
import workloads
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

GPT2 = workloads.PROJECT / "build" / "tokenizers" / "gpt2"
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]
# Of a model that nobody loads here: a tokenizer belongs to one.
CONFIG = {
    "model_type": "xlm-roberta",
    "vocab_size": 250_002,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
    "pad_token_id": 1,
}
UNIGRAM_PIECES = 250_000
PIECE_CHARACTERS_MAX = 16


def write(folder: pathlib.Path, work: workloads.Workload, kind: str) -> pathlib.Path:
    """A folder with the tokenizer of that kind, made once."""
    path = folder / kind / "tokenizer.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = [row["text"] for row in workloads.read_jsonl(work.passages_tokenize)]
        (path.parent / "config.json").write_text(json.dumps(CONFIG))
        path.write_text({"bpe": byte_level_bpe, "unigram": unigram}[kind](texts), encoding="utf-8")
    return path.parent


def describe(kind: str, folder: pathlib.Path) -> str:
    if kind == "wordpiece":
        return "WordPiece"
    size = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    if kind == "bpe":
        return f"byte-level BPE, {'GPT-2' if GPT2.is_dir() else 'trained here'}, {size:,} tokens"
    return f"Unigram, {size:,} pieces"


def byte_level_bpe(texts: list[str]) -> str:
    if GPT2.is_dir():
        vocabulary = json.loads((GPT2 / "encoder.json").read_text(encoding="utf-8"))
        lines = (GPT2 / "vocab.bpe").read_text(encoding="utf-8").splitlines()
        merges = [tuple(line.split(" ")) for line in lines if line and not line.startswith("#version")]
        tokenizer = tokenizers.Tokenizer(models.BPE(vocabulary, merges))
    else:
        tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if not GPT2.is_dir():
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=50_000, initial_alphabet=alphabet))
    tokenizer.add_special_tokens(SPECIALS)
    ids = {name: tokenizer.token_to_id(name) for name in ("</s>", "<s>")}
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", ids["</s>"]), ("<s>", ids["<s>"]))
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer.to_str()


def unigram(texts: list[str]) -> str:
    counts = collections.Counter()
    words = collections.Counter("\u2581" + word for text in texts for word in text.split())
    for word, times in words.items():
        for begin in range(len(word)):
            for end in range(begin + 1, min(len(word), begin + PIECE_CHARACTERS_MAX) + 1):
                counts[word[begin:end]] += times
    frequent = counts.most_common(UNIGRAM_PIECES)
    total = sum(count for _, count in frequent)
    vocabulary = [(name, 0.0) for name in SPECIALS]
    vocabulary += [(piece, math.log(count / total)) for piece, count in frequent]
    tokenizer = tokenizers.Tokenizer(models.Unigram(vocabulary, unk_id=SPECIALS.index("<unk>")))
    tokenizer.normalizer = normalizers.Precompiled(nmt_nfkc(texts))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    ids = [(name, SPECIALS.index(name)) for name in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> </s> $B </s>", ids)
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(SPECIALS)
    return tokenizer.to_str()


def nmt_nfkc(texts: list[str]) -> bytes:
    """The table of replacements, which SentencePiece writes into every model that it trains."""
    from sentencepiece import sentencepiece_model_pb2

    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts[:500]), model_writer=stream, vocab_size=1000, hard_vocab_limit=False,
        normalization_rule_name="nmt_nfkc", minloglevel=2,
    )  # fmt: skip
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(stream.getvalue())
    return proto.normalizer_spec.precompiled_charsmap
