"""The texts and pairs of the parity check: the same ones on every run, as bytes, because some are not valid UTF-8.

Three groups, since the bounds differ: "passages" are plain English; "mixed" is real text in several languages (only
where TANDEM_DATA is set); "nasty" is everything that has ever broken an encoder.
"""

import dataclasses
import itertools
import json
import os
import pathlib
import random

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent

EDGES = [
    "",
    " ",
    "\n",
    "\t \r\n\v\f",
    "a",
    "Z",
    "7",
    ".",
    "é",
    "ß",
    "İ",
    "中",
    "あ",
    "한",
    "ا",
    "🙂",
    "\u0000",
    "a\u0000b",
    "\u0007bell\u001b[31mred\u007f",
    "\u0085\u0080\u009f",
    "\ufeffbyte order mark",
    "soft\u00adhyphen zero\u200bwidth\u200djoin\u2060er",
    "\u202eright to left override\u202c",
    "\ufffd replacement \ufffe \uffff",
    "non\u00a0breaking\u3000ideographic\u2003em",
    "line\u2028separator\u2029paragraph",
    "private \ue000\uf8ff \U000f0000 use",
    "unassigned \u0378 \U0001fbff \U000e0fff",
    "tag \U000e0001\U000e0041 characters",
    "[CLS]",
    "[SEP]",
    "a [SEP] b [MASK] c [PAD] d [UNK] e [CLS]",
    "[sep] [Mask]",
    "##ing ##s un ##believ ##able",
    "##",
    "e\u0301 vs \u00e9, A\u030a vs \u00c5, q\u0323\u0307",
    "\u0301starts with a combining mark",
    "zalgo: " + "z" + "\u0300\u0316\u0340\u0321" * 12,
    "ﬁnd ﬂow oﬃce ½ ² Ⅷ ℡ ㎏",
    "ＦＵＬＬ　ｗｉｄｔｈ",
    "ΟΔΟΣ Σ ς ǅ ŉ ẞ ŒUVRE",
    "Ǆ DŽ ʼn İstanbul ıspanak",
    "straße naïve façade Ångström coöperate",
    "mañana, ¿qué? ¡sí! «guillemets» „quotes“",
    "中文和English混在一起，没有空格。",
    "日本語とカタカナ、ひらがな。ﾊﾝｶｸ",
    "한국어 문장과 조합형 \u1112\u1161\u11ab",
    "\U00020000\U0002a6df\U0002f800\U00030000 rare ideographs",
    "العَرَبِيَّة مع تشكيل",
    "עִבְרִית עם ניקוד",
    "हिन्दी में एक वाक्य क्षत्रिय",
    "ภาษาไทยไม่มีช่องว่าง",
    "Ελληνικά και Кириллица",
    "ქართული Ⴀ Ა հայերեն",
    "👩‍👩‍👧‍👦 👍🏽 🇩🇪 1️⃣ ☺️ ❤",
    "x" * 99,
    "x" * 100,
    "x" * 101,
    "x" * 5000,
    "supercalifragilisticexpialidocious" * 4,
    "é" * 101,
    "1234567890" * 30,
    "!?.,;:-_'\"()[]{}<>/\\|@#$%^&*+=~`",
    "..." * 200,
    "a.b,c!d?e-f_g",
    "https://example.org/a/b?c=d&e=%20#f user@example.org",
    "C++ C# .NET node.js a/b a-b don't it's O'Neil",
    "$1,234.56 (50%) 10^-9 x≤y ≠ ∞ ∑ √ ±",
    "{\"json\": [1, 2.5e-3, null], \"k\\n\": \"v\"}",
    "def f(x):\n\treturn x ** 2  # comment\n",
    "SELECT * FROM t WHERE a='b'; -- drop",
    "camelCaseAndPascalCase snake_case_name SCREAMING_CASE",
    "aAaAaA " * 40,
    "repeated " * 600,
    "i" * 20 + " " * 500 + "j",
]

INVALID = [
    b"\xff",
    b"\x80",
    b"abc\x80def",
    b"\xc0\xaf overlong",
    b"\xe0\x80\xaf overlong",
    b"\xf0\x80\x80\xaf overlong",
    b"\xed\xa0\x80 surrogate",
    b"\xed\xa0\xbd\xed\xb9\x82 surrogate pair",
    b"\xf4\x90\x80\x80 beyond",
    b"\xf8\x88\x80\x80\x80 five",
    b"\xfe\xff",
    b"cut \xe4\xb8",
    b"cut \xf0\x9f\x98",
    b"\xf0\x9f\x98 cut before a letter",
    b"\xe4\xb8\xe4\xb8\xad",
    b"caf\xe9 in latin-1",
    b"\xe2\x28\xa1 and \xf0\x28\x8c\xbc",
    b"word\xffword \xff\xff\xff word",
]

RANGES = (
    *((0x20, 0x7E),) * 6,
    *((0xA0, 0x24F),) * 2,
    (0x250, 0x36F),
    (0x370, 0x52F),
    (0x590, 0x6FF),
    (0x900, 0xDFF),
    (0xE00, 0xEFF),
    (0x1E00, 0x1FFF),
    (0x2000, 0x2BFF),
    (0x3000, 0x30FF),
    *((0x4E00, 0x9FFF),) * 2,
    (0xAC00, 0xD7A3),
    (0xF900, 0xFFEF),
    (0x1F300, 0x1FAFF),
    (0x20000, 0x2A6DF),
    (0x0, 0x10FFFF),
)


@dataclasses.dataclass(frozen=True)
class Item:
    """One input: a text, or a pair of a query and a document."""

    group: str
    parts: tuple[bytes, ...]

    def decoded(self) -> tuple[str, ...]:
        return tuple(part.decode("utf-8", "replace") for part in self.parts)

    def is_utf8(self) -> bool:
        return all(part.decode("utf-8", "ignore").encode() == part for part in self.parts)


def random_text(generator: random.Random) -> str:
    """Words of one to fifteen characters, each word from one script or another."""
    words = []
    for _ in range(generator.choice((1, 2, 3, 5, 8, 13, 21, 34))):
        low, high = generator.choice(RANGES)
        letters = (generator.randint(low, high) for _ in range(generator.randint(1, 15)))
        words.append("".join(chr(letter) for letter in letters if not 0xD800 <= letter < 0xE000))
    return generator.choice((" ", " ", " ", "", "\n", " \t")).join(words)


def broken(generator: random.Random, text: str) -> bytes:
    """The text with some bytes changed, removed or added. Line breaks and tabs are kept out: such a text reaches the
    program as a line of a plain file."""
    data = bytearray(text.replace("\n", " ").replace("\t", " ").replace("\r", " ").encode())
    for _ in range(generator.randint(1, 6)):
        position = generator.randrange(len(data) + 1)
        kind = generator.randrange(3)
        if kind == 0:
            data[position:position] = bytes([generator.randrange(0x80, 0x100)])
        elif kind == 1 and position < len(data):
            data[position] = generator.randrange(0x80, 0x100)
        else:
            del data[position : position + 1]
    return bytes(data)


def english_passages(count: int) -> list[str]:
    """$TANDEM_DATA's MS MARCO passages, else sentences of the sample data, put together anew."""
    if data := os.environ.get("TANDEM_DATA"):
        rows = itertools.islice(read_jsonl(pathlib.Path(data, "msmarco-passages-5000.jsonl")), count)
        return [row["text"] for row in rows]
    sentences = [
        sentence.strip()
        for path in sorted((PROJECT / "examples" / "data").glob("*.jsonl"))
        for row in read_jsonl(path)
        for sentence in row.get("text", "").split(". ")
        if sentence.strip()
    ]
    generator = random.Random(2)
    return [". ".join(generator.choices(sentences, k=generator.randint(1, 7))) + "." for _ in range(count)]


def mixed_texts(count: int, name: str) -> list[str]:
    """Real paragraphs ("corpus.jsonl") or questions ("queries.jsonl") in several languages and fields, the same number
    from each collection; nothing where TANDEM_DATA is not set."""
    if not (data := os.environ.get("TANDEM_DATA")):
        return []
    collections = [f"xquad/{language}" for language in ("en", "ar", "de", "zh")] + ["stackfaq", "cosqa", "pubmedqa"]
    per_collection = -(-count // len(collections))
    paths = [pathlib.Path(data, collection, name) for collection in collections]
    return [row["text"] for path in paths for row in itertools.islice(read_jsonl(path), per_collection)][:count]


def nasty_texts(count: int) -> list[bytes]:
    generator = random.Random(3)
    words = " ".join(english_passages(200)).split()
    texts = [text.encode() for text in EDGES] + list(INVALID)
    texts += [" ".join(generator.choices(words, k=5000)).encode() for _ in range(3)]
    texts.append(" ".join(random_text(generator) for _ in range(400)).encode())
    while len(texts) < count:
        text = random_text(generator)
        texts.append(broken(generator, text) if len(texts) % 8 == 0 else text.encode())
    return texts


def items(total: int) -> list[Item]:
    """At least `total` texts."""
    passages = [text.encode() for text in english_passages(total * 3 // 10)]
    mixed = [
        text.encode()
        for name in ("corpus.jsonl", "queries.jsonl")
        for text in mixed_texts(total * 3 // 20, name)
    ]
    groups = {"passages": passages, "mixed": mixed, "nasty": nasty_texts(total - len(passages) - len(mixed))}
    return [Item(group, (text,)) for group, texts in groups.items() for text in texts]


def pairs(total: int) -> list[Item]:
    """At least `total` pairs: the first words of a passage with a passage, a question with a paragraph of the same
    collection, and nasty texts with anything."""
    generator = random.Random(4)
    singles = items(total)
    passages = [item.parts[0] for item in singles if item.group == "passages"]
    everything = [item.parts[0] for item in singles]
    made = []
    for item in singles:
        text = item.parts[0]
        if item.group == "passages":
            sentence = b" ".join(generator.choice(passages).split()[: generator.randint(3, 12)])
            made.append(Item("passages", (sentence, text)))
        elif item.group == "nasty":
            other = generator.choice(everything)
            # A broken pair is a line with one tab, so no part of it may hold a tab or a line break.
            if not Item("", (text, other)).is_utf8():
                text, other = (b" ".join(part.split()) for part in (text, other))
            made.append(Item("nasty", (text, other) if generator.random() < 0.5 else (other, text)))
    questions, paragraphs = (mixed_texts(total * 3 // 10, name) for name in ("queries.jsonl", "corpus.jsonl"))
    return made + [Item("mixed", (query.encode(), text.encode())) for query, text in zip(questions, paragraphs)]


def read_jsonl(path: pathlib.Path):
    with open(path, encoding="utf-8") as lines:
        yield from map(json.loads, lines)
