#!/usr/bin/env python3
"""Writes tests/goldens/tokenizer.jsonl with the Hugging Face `tokenizers` package.

    pip install tokenizers==0.23.3
    python tests/oracle/tokenizer_goldens.py > tests/goldens/tokenizer.jsonl

The first line holds the package's version and a small WordPiece model, trained on the text below. A line with
"tokenizer" starts a variant: tokenizer.json without its model. The lines after it are cases: texts ("first", "second",
as "…_hex" where they are not UTF-8), the options that are not the default ones, and what the reference returns.
"""

import json
import sys

import tokenizers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from tokenizer_parity import Comparison, Generator, Text, bert_normalizer, options

TRAINING_TEXT = """
A bicycle built for two needs two riders who agree where they are going. One of them steers, and the other one pedals.
The first rider looks far ahead and finds a hundred roads that might lead home; the second reads every signpost closely.
Searching is guessing quickly and then checking slowly. Rankings improve when somebody finally reads the documents.
How do I reset my password? Open the settings, choose "Security", and press the button that says "Forget everything".
Refunds are paid within 14 days, unless the parcel was returned in 1999 or the invoice number has more than 10 digits.
The unbelievable restaurant at the harbour serves grilled mackerel, roasted fennel, lemon sorbet and strong coffee.
Engineers measure latency in milliseconds, bandwidth in gigabytes, and patience in the number of unanswered questions.
Tenant shall return the keys; the landlord shall return the deposit. Neither party remembers who painted the kitchen.
Der Übersetzer grüßte höflich, aß ein Stück Käse und fragte: „Wo ist die nächste Straße nach Süden, bitte schön?“
L'élève a mangé une crêpe près de la forêt, où l'été dernier un garçon naïf cherchait encore son cœur et sa clé.
El niño soñó con un pingüino que cantaba canciones; mañana, según él, habrá más lluvia en la montaña que aquí.
Żółw zjadł gęś, a łoś pobiegł w stronę źródła. Příliš žluťoučký kůň skákal přes řeku. İstanbul'da ılık bir çay içtik.
Старый трамвай медленно ехал через мост, и ёжик смотрел в окно. Η μικρή γάτα κοιμάται ήσυχα στον ήλιο του λιμανιού.
東京の図書館で本を読む。 我们在北京的图书馆看书。 도서관에서 책을 읽는다. ספר טוב על המדף. كتاب جيد على الرف.
"""

NASTY = [
    "", " ", "\t\n\r", "a", "A", "#", "##ing", "un##ing", "[UNK]", "[SEP]", "x[SEP]y [sep] [SEP ]", "[CLS][MASK] [PAD]",
    "Unbelievable restaurants, unanswerable questions!", "a" * 100, "a" * 101, "é" * 100, "e\u0301" * 60, "中" * 12,
    "the\u00a0password\u2003is\u3000here\u200bnow", "zero\0byte\ufffdand\x0b\x0c\x1f\x7f\x85end", "soft\u00adhyphen",
    "İstanbul ISTANBUL ıI ẞß ΑΣΣ Ǆ ﬁ Ⅷ K Å", "naïve café Käse crêpe żółw",
    "cafe\u0301 \u0301 \u0301\u0327a \u0327\u0301",
    "\u1ebf\u0323 \u1eb6\u031b\u0302 \u0344\u0345 \u0f73\u0f71", "한국어 각 \u1100\u1161\u11a8 가\u11a8", "豈更車賈 金 \uf900a",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 😀 👩\u200d👩\u200d👧 🇩🇪 \U00020000\U0002f800\U0010ffff", "\u202eabc\u202c \u2066x\u2069 ספר كتاب",
    "$5.00 + 3=8; C++ <tag> `code` ~^|", "— “quoted” ‘it’s’ … ¿qué? 「本」 ⸺ \u3002", "ё Ё й Й ή ΐ",
    "\u302e\u0300a\u302f \U0001d165\U0001d16d", "\ua7ce \U00016ea0 \u1c89 \U0001e900", "a\u034fb\u0488c \u20dd",
]

BROKEN = [
    b"caf\xe9 the", b"\xff\xfe\x00", b"a\xed\xa0\x80b", b"\xf0\x9f\x98", b"the\xc0\xafend \xe2\x82 \xf4\x90\x80\x80",
    b"\x80",
]


def train():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=1500, min_frequency=1, special_tokens=special, show_progress=False)
    lines = TRAINING_TEXT.strip().splitlines()
    plain = [normalizers.BertNormalizer().normalize_str(line) for line in lines]
    tokenizer.train_from_iterator(lines + plain, trainer)
    return json.loads(tokenizer.to_str())


def added_token(content, index, **flags):
    plain = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=False)
    return {"id": index, "content": content, **plain, **flags}


def variants(vocabulary):
    special = {name: vocabulary[name] for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")}
    pieces = {
        "cls": {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
        "sep": {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
        "sep1": {"SpecialToken": {"id": "[SEP]", "type_id": 1}},
        "a": {"Sequence": {"id": "A", "type_id": 0}},
        "b": {"Sequence": {"id": "B", "type_id": 1}},
    }
    template = {
        "type": "TemplateProcessing",
        "single": [pieces[name] for name in ("cls", "a", "sep")],
        "pair": [pieces[name] for name in ("cls", "a", "sep", "b", "sep1")],
        "special_tokens": {n: {"id": n, "ids": [special[n]], "tokens": [n]} for n in ("[CLS]", "[SEP]")},
    }
    plain = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [added_token(name, index, special=True) for name, index in special.items()],
        "normalizer": bert_normalizer(),
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": template,
        "decoder": None,
    }
    yield plain, 70
    yield dict(plain, normalizer=bert_normalizer(lowercase=False)), 25
    yield dict(plain, normalizer=bert_normalizer(strip_accents=False)), 25
    yield dict(plain, normalizer=bert_normalizer(False, False, True, False)), 25
    yield dict(plain, normalizer=bert_normalizer(False, True, False, False)), 15
    names = [
        ("the", "single_word"), ("<x>", "lstrip"), ("Café", "normalized"), ("[E]", "rstrip"), ("new tok", "special"),
    ]
    added = [added_token(name, 9000 + index, **{flag: True}) for index, (name, flag) in enumerate(names)]
    yield dict(plain, added_tokens=plain["added_tokens"] + added), 40
    added = [dict(token, normalized=True, lstrip=True, rstrip=True) for token in added]
    yield dict(plain, added_tokens=plain["added_tokens"] + added), 25
    bert = {"type": "BertProcessing", "sep": ["[SEP]", special["[SEP]"]], "cls": ["[CLS]", special["[CLS]"]]}
    yield dict(plain, post_processor=bert, normalizer=None), 15
    yield dict(plain, post_processor=None, pre_tokenizer=None), 15


def case(comparison, first, second, chosen):
    want = comparison.expected(first, second, chosen)
    if want is None:
        return None
    line = {}
    for key, text in (("first", first), ("second", second)):
        if text is not None and text.seen.encode() == text.raw:
            line[key] = text.seen
        elif text is not None:
            line[key + "_hex"] = text.raw.hex()
    default = options()
    line.update({key: value for key, value in chosen.items() if value != default[key]})
    return line | want


def main():
    definition = train()
    vocabulary = definition["model"]["vocab"]

    def write(line):
        print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))

    write({"tokenizers": tokenizers.__version__, "model": definition["model"]})
    texts = [Text(text.encode()) for text in NASTY] + [Text(raw) for raw in BROKEN]
    for index, (variant, count) in enumerate(variants(vocabulary)):
        write({"tokenizer": variant})
        comparison = Comparison(None, dict(variant, model=definition["model"]))
        generator = Generator(index, list(vocabulary), [token["content"] for token in variant["added_tokens"]])
        chance = generator.random
        written = 0
        while written < count:
            first = texts[written] if index == 0 and written < len(texts) else generator.text()
            if index != 0 and chance.random() < 0.4:
                first = chance.choice(texts)
            second = generator.text() if chance.random() < 0.35 else None
            if len(first.raw) + (len(second.raw) if second else 0) > 220:
                continue
            chosen = options(
                tokens_max=chance.choice([0, 0, chance.randint(3, 20)]),
                strategy=chance.choice(["longest_first", "longest_first", "only_first", "only_second"]),
                side=chance.choice(["right", "left"]),
                special=chance.random() < 0.85,
                split_special=chance.random() < 0.15,
                unit=chance.choice(["chars", "chars", "bytes"]),
            )
            line = case(comparison, first, second, chosen)
            if line is not None:
                write(line)
                written += 1


if __name__ == "__main__":
    sys.exit(main())
