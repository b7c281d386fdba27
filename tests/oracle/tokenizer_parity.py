#!/usr/bin/env python3
"""Compares Tandem's tokenizer with the Hugging Face `tokenizers` package: ids, type ids, offsets, dropped tokens.

    pip install tokenizers
    python tests/oracle/tokenizer_parity.py --model FOLDER --dump build/release/bin/tokenizer_dump

Two parts: every code point of Unicode under each option of BertNormalizer, with a vocabulary that has all of them; and
generated texts, pairs and truncations under many variants of the model's own tokenizer.json. Prints the first
differences and exits with 1 if there are any.
"""

import argparse
import codecs
import copy
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

import tokenizers
from tokenizers import Tokenizer

DIFFERENCES_SHOWN = 10
POINTS_AT_ONCE = 200_000  # Bounds the memory that requests and answers take.


class Text:
    """Bytes that may not be UTF-8, and what Python and `tokenizers` see in them."""

    def __init__(self, raw):
        self.raw = raw
        spans = []

        def handler(error):
            spans.append((error.start, error.end))
            return "\ufffd", error.end

        codecs.register_error("parity", handler)
        self.seen = raw.decode("utf-8", "parity")
        self._spans = dict(spans)

    def byte_positions(self):
        """For each character, and the end, where it begins in the bytes."""
        positions = [0]
        for character in self.seen:
            begin = positions[-1]
            positions.append(self._spans.get(begin, begin + len(character.encode("utf-8"))))
        return positions


class Generator:
    """Texts that are hard on a tokenizer."""

    def __init__(self, seed, vocabulary, added):
        self.random = random.Random(seed)
        self.pieces = [piece.removeprefix("##") for piece in vocabulary]
        self.lookalikes = ["[SEP]", "[CLS]", "[MASK]", "[sep]", "[Sep]", "[CLS", "SEP]", "[[SEP]]", "[UNK]", "[PAD] "]
        self.lookalikes += [variant for token in added for variant in (token, token.upper(), token + token, token[:-1])]
        points = [chr(c) for c in itertools.chain(range(0xD800), range(0xE000, 0x110000))]
        self.marks = [c for c in points if unicodedata.category(c) in ("Mn", "Mc", "Me")]
        canonical = {c: unicodedata.decomposition(c) for c in points}
        self.decomposing = [c for c in points if canonical[c] and canonical[c][0] != "<"]
        self.upper = [c for c in points if c.lower() != c]
        assigned = {ord(c) >> 7 for c in points if unicodedata.category(c) not in ("Cn", "Co")}
        self.blocks = sorted(assigned | {0xE000 >> 7, 0xF0000 >> 7, 0x10FFFF >> 7})

    def text(self):
        kinds = [self.words, self.block, self.marked, self.special, self.spaced, self.long_run, self.mixed, self.broken]
        parts = [self.random.choice(kinds)() for _ in range(self.random.choice([0, 1, 1, 1, 2, 3]))]
        joined = self.random.choice([b"", b" ", b"\n"]).join(parts)
        return Text(joined)

    def words(self):
        words = []
        for _ in range(self.random.randint(1, 40)):
            word = "".join(self.random.choices(self.pieces, k=self.random.choice([1, 1, 2, 3])))
            words.append(self.random.choice([str, str.upper, str.title])(word))
            words.append(self.random.choice([" ", " ", " ", ", ", ". ", "-", "  ", "", "'"]))
        return "".join(words).encode()

    def block(self):
        start = self.random.choice(self.blocks) << 7
        characters = [chr(start + self.random.randrange(128)) for _ in range(self.random.randint(1, 30))]
        return "".join(self.random.choice([c, c + " ", "a" + c]) for c in characters).encode("utf-8", "surrogatepass")

    def marked(self):
        text = ""
        for _ in range(self.random.randint(1, 12)):
            text += self.random.choice(["", "a", "E", "中", "ß", "한", " ", self.random.choice(self.decomposing)])
            text += "".join(self.random.choices(self.marks + self.decomposing, k=self.random.randint(0, 5)))
        return text.encode()

    def special(self):
        pieces = self.lookalikes + ["a", " ", "  ", "\t", "é", "中", "_", "1", "-", "\u3000", "\u0301"]
        return "".join(self.random.choices(pieces, k=self.random.randint(1, 12))).encode()

    def spaced(self):
        odd = ["\0", "\t", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x1f", "\x7f", "\x85", "\xa0", "\xad", "\u1680"]
        odd += ["\u180e", "\u2003", "\u200b", "\u200d", "\u200e"]
        odd += ["\u2028", "\u2029", "\u202e", "\u2066", "\u3000", "\ufeff", "\ufffd"]
        odd += ["\ufffe", "\uffff", "\ue000", "\U000e0001", "\U0010ffff", "👩‍👩‍👧", "🇩🇪", "ﬁ", "İ", "ı", "ẞ", "Σ"]
        pieces = odd + ["a", "B", ".", " "] * 5
        return "".join(self.random.choices(pieces, k=self.random.randint(1, 30))).encode()

    def long_run(self):
        unit = self.random.choice(["a", "Z", "ab", "é", "中", "#", "e\u0301", "1", "한", "\u0301", "un", "."])
        return (unit * self.random.choice([5, 49, 50, 51, 99, 100, 101, 102, 130, 300])).encode()

    def mixed(self):
        pools = [self.upper, self.decomposing, self.marks, self.pieces, list("aB. ,#[]")]
        length = self.random.randint(1, 40)
        return "".join(self.random.choice(self.random.choice(pools)) for _ in range(length)).encode()

    def broken(self):
        raw = bytearray(self.random.choice([self.words, self.block, self.spaced])())
        for _ in range(self.random.randint(1, 6)):
            place = self.random.randint(0, len(raw))
            bad = [b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98"]
            bad += [b"\xff", b"\xe2\x82", b"\xf4\x90\x80\x80", b"\xc3"]
            raw[place:place] = self.random.choice(bad)
        return bytes(raw)


class Comparison:
    """One tokenizer.json on both sides."""

    def __init__(self, dump, definition):
        self.dump = dump
        self.definition = definition
        self.reference = Tokenizer.from_str(json.dumps(definition))
        self.reference.no_padding()
        self.reference.no_truncation()
        self.compared = 0
        self.skipped = 0
        self.differences = []

    def run(self, cases):
        """Cases are (first, second or None, options)."""
        requests = []
        for first, second, options in cases:
            request = dict(options, first=first.raw.hex(), second=second.raw.hex() if second else None)
            requests.append(json.dumps(request))
        with tempfile.TemporaryDirectory() as folder:
            self.write_folder(pathlib.Path(folder))
            answers = subprocess.run(
                [self.dump, folder], input="\n".join(requests) + "\n", capture_output=True, text=True, check=False
            )
        if answers.returncode != 0:
            sys.exit(f"{self.dump}: {answers.stderr}")
        lines = answers.stdout.splitlines()
        assert len(lines) == len(cases)
        for case, line in zip(cases, lines):
            self.compare(case, json.loads(line))

    def write_folder(self, folder):
        """What Tandem opens."""
        folder.joinpath("tokenizer.json").write_text(json.dumps(self.definition, ensure_ascii=False), encoding="utf-8")

    def compare(self, case, got):
        first, second, options = case
        self.compared += 1
        want = self.expected(first, second, options)
        if want is None:
            return  # The reference raises: there is nothing to compare with.
        for key, value in want.items():
            if got[key] != value:
                self.differences.append((first.raw, second.raw if second else None, options, key, value, got[key]))
                return

    def encode(self, first, second, options):
        """None where the reference fails: a truncation that cannot be done, or its "AddedVocabulary bad split"."""
        pair = second.seen if second else None
        try:
            return self.reference.encode(first.seen, pair, add_special_tokens=options["special"])
        except BaseException as error:  # A panic of the library is no Exception.
            if type(error) is Exception or type(error).__name__ == "PanicException":
                return None
            raise

    def expected(self, first, second, options):
        self.reference.encode_special_tokens = options["split_special"]
        self.reference.no_truncation()
        encoding = whole = self.encode(first, second, options)
        if options["tokens_max"]:
            self.reference.enable_truncation(
                options["tokens_max"], strategy=options["strategy"], direction=options["side"]
            )
            encoding = self.encode(first, second, options)
        if encoding is None or whole is None:
            self.skipped += 1
            return None
        want = {"ids": encoding.ids, "type_ids": encoding.type_ids, "dropped": len(whole.ids) - len(encoding.ids)}
        offsets = []
        if options["unit"] != "none":
            positions = [None, None]
            if options["unit"] == "bytes":
                positions = [first.byte_positions(), second.byte_positions() if second else None]
            for (begin, end), sequence in zip(encoding.offsets, encoding.sequence_ids):
                place = positions[sequence or 0] if sequence is not None else None
                offsets += [place[begin], place[end]] if place else [begin, end]
        want["offsets"] = offsets
        return want


def options(**changed):
    plain = dict(tokens_max=0, strategy="longest_first", side="right", special=True, split_special=False, unit="chars")
    return {**plain, **changed}


def bert_normalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True):
    return {
        "type": "BertNormalizer",
        "clean_text": clean_text,
        "handle_chinese_chars": handle_chinese_chars,
        "strip_accents": strip_accents,
        "lowercase": lowercase,
    }


def compare_code_points(dump, base):
    """Each code point alone between letters, and after a letter with a mark of a middle combining class."""
    points = [chr(c) for c in itertools.chain(range(0xD800), range(0xE000, 0x110000))]
    vocabulary = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}
    for point in points:
        vocabulary.setdefault(point, len(vocabulary))
        vocabulary.setdefault("##" + point, len(vocabulary))
    definition = copy.deepcopy(base)
    definition["model"] = dict(base["model"], vocab=vocabulary, unk_token="[UNK]")
    word = {"content": "@", "single_word": True, "lstrip": False, "rstrip": False}
    word |= {"normalized": False, "special": False}
    definition["added_tokens"] = [dict(word, id=vocabulary["@"])]
    definition["post_processor"] = None
    only = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    variants = [only] + [dict(only, **{option: True}) for option in only] + [dict.fromkeys(only, True)]
    for variant in variants:
        comparison = Comparison(dump, dict(definition, normalizer=bert_normalizer(**variant)))
        for begin in range(0, len(points), POINTS_AT_ONCE):
            chunk = points[begin : begin + POINTS_AT_ONCE]
            comparison.run([(Text(f"x{c}y @{c} e\u0327{c}\u0323".encode()), None, options()) for c in chunk])
        yield f"every code point, {variant}", comparison


def variants_of(base):
    """Tokenizers that differ from the model's in one part, and some that differ in several."""
    yield "as it is", base
    both = (True, False)
    for clean, chinese, strip, lower in itertools.product(both, both, (None, *both), both):
        normalizer = bert_normalizer(clean, chinese, strip, lower)
        yield f"{normalizer}", dict(base, normalizer=normalizer)
    yield "no normalizer", dict(base, normalizer=None)
    yield "no pre-tokenizer", dict(base, pre_tokenizer=None)
    yield "no post-processor", dict(base, post_processor=None)
    bert = {"type": "BertProcessing", "sep": ["[SEP]", 102], "cls": ["[CLS]", 101]}
    yield "BertProcessing", dict(base, post_processor=bert)
    yield "short words", dict(base, model=dict(base["model"], max_input_chars_per_word=7))
    single = [{"Sequence": {"id": "A", "type_id": 1}}, {"SpecialToken": {"id": "X", "type_id": 2}}]
    pair = [{"SpecialToken": {"id": "X", "type_id": 3}}, {"Sequence": {"id": "B", "type_id": 4}}]
    pair += [{"Sequence": {"id": "A", "type_id": 5}}]
    tokens = {"X": {"id": "X", "ids": [101, 102, 103], "tokens": ["[CLS]", "[SEP]", "[MASK]"]}}
    template = {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens}
    yield "an odd template", dict(base, post_processor=template)
    names = ["<x>", "Café", "the", "new tok", "İx", "ing", "e\u0301e", "中文", "[E1]", " ", "##s", "x y", "<x>y", "_a"]
    for seed in range(24):
        chance = random.Random(seed)
        added = list(base["added_tokens"])
        for name in chance.sample(names, chance.randint(1, 6)):
            keys = ("single_word", "lstrip", "rstrip", "normalized", "special")
            flags = {key: chance.random() < 0.4 for key in keys}
            added.append(dict(flags, content=name, id=40000 + len(added)))
        normalizer = bert_normalizer(*(chance.random() < 0.7 for _ in range(4)))
        yield f"added tokens {added[len(base['added_tokens']):]} {normalizer}", dict(
            base, added_tokens=added, normalizer=normalizer
        )


def compare_generated(dump, base, texts, seed):
    variants = list(variants_of(base))
    for index, (name, definition) in enumerate(variants):
        added = [token["content"] for token in definition["added_tokens"]]
        generator = Generator(seed * 1000 + index, list(base["model"]["vocab"]), added)
        chance = generator.random
        cases = []
        for _ in range(texts // len(variants) + 1):
            second = generator.text() if chance.random() < 0.4 else None
            chosen = options(
                tokens_max=chance.choice([0, 0, chance.randint(3, 64), chance.randint(3, 12)]),
                strategy=chance.choice(["longest_first", "longest_first", "only_first", "only_second"]),
                side=chance.choice(["right", "left"]),
                special=chance.random() < 0.8,
                split_special=chance.random() < 0.2,
                unit=chance.choice(["chars", "bytes", "none"]),
            )
            cases.append((generator.text(), second, chosen))
        comparison = Comparison(dump, definition)
        comparison.run(cases)
        yield name, comparison


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a folder with a BERT-like tokenizer.json")
    parser.add_argument("--dump", required=True, help="the program tokenizer_dump")
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip-code-points", action="store_true")
    arguments = parser.parse_args()

    sys.stdout.reconfigure(line_buffering=True)
    base = json.loads(pathlib.Path(arguments.model, "tokenizer.json").read_text(encoding="utf-8"))
    base["truncation"] = base["padding"] = None
    print(f"tokenizers {tokenizers.__version__}, seed {arguments.seed}")
    runs = compare_generated(arguments.dump, base, arguments.texts, arguments.seed)
    if not arguments.skip_code_points:
        runs = itertools.chain(compare_code_points(arguments.dump, base), runs)
    compared = different = skipped = 0
    for name, comparison in runs:
        compared += comparison.compared - comparison.skipped
        skipped += comparison.skipped
        different += len(comparison.differences)
        if comparison.differences:
            print(f"{name}: {len(comparison.differences)} of {comparison.compared} differ")
        for first, second, chosen, key, want, got in comparison.differences[:DIFFERENCES_SHOWN]:
            print(f"  {first} {second} {chosen}\n    {key}: want {want}\n    {key}: got  {got}", flush=True)
    print(f"{compared} texts compared, {different} differ; the reference failed on {skipped} more")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
