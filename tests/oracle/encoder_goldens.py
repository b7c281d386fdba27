"""Writes the goldens of the encoders from sentence-transformers in f32, so that `make test` needs no torch.

    python encoder_goldens.py real --models FOLDER     tests/goldens/encoder/*.json
    python encoder_goldens.py tiny                     tests/goldens/tiny-bert/

"real": what the three published checkpoints answer; FOLDER holds them by their short names, those that are distributed
as INT8 ONNX read back by encoder_checkpoints.py. "tiny": a random BERT of two layers that is small enough to be
committed, and what it answers under every module, pooling and option.

A text is a string, {"text", "times"} for a repeated one, or {"hex"} for bytes that are not UTF-8.
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import shutil
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
import numpy as np
import safetensors.torch
import sentence_transformers
import tokenizers
import torch
import transformers

GOLDENS = pathlib.Path(__file__).resolve().parent.parent / "goldens"
PACKAGES = ("sentence-transformers", "transformers", "tokenizers", "torch")
BI_ENCODERS = ("all-MiniLM-L6-v2", "bge-small-en-v1.5")
CROSS_ENCODERS = ("ms-marco-MiniLM-L-12-v2",)
F32 = {"device": "cpu", "model_kwargs": {"dtype": torch.float32}}

# Every SAMPLE_STRIDE-th component of the texts after the first FULL_VECTORS, which are kept whole.
FULL_VECTORS = 5
SAMPLE_STRIDE = 24

TEXTS = [
    "A boat left the harbour at dawn and came back with an empty net.",
    "How do I reset my password?",
    "Die Rechnung ist innerhalb von 30 Tagen ohne Abzug zu begleichen.",
    {"text": "The committee met again and decided nothing of any consequence. ", "times": 500},
    "👩‍👩‍👧‍👦 naïve café, 中文和English混在一起 – İstanbul ŒUVRE ﬁnd ½",
    "",
    " ",
    "a",
    ".",
    "中",
    "🙂",
    "\u0000\u0007\u001b[31m\u007f\u0085",
    "\ufeffzero\u200bwidth soft\u00adhyphen non\u00a0breaking\u3000wide",
    "a [SEP] b [MASK] c [PAD] d [UNK] e [CLS] f",
    "e\u0301 and \u00e9, A\u030a and \u00c5, q\u0323\u0307",
    "日本語とカタカナ、ﾊﾝｶｸ。 한국어 \u1112\u1161\u11ab",
    "العَرَبِيَّة עִבְרִית हिन्दी ภาษาไทย Ελληνικά Кириллица",
    {"text": "x", "times": 101},
    {"text": "supercalifragilistic", "times": 60},
    {"text": "!?.,;:-_", "times": 30},
    {"hex": "636166e920696e206c6174696e2d31"},
    {"hex": "f09f98206375742c20eda080fffe20e4b8"},
    "SELECT name, SUM(price) FROM orders WHERE day >= '2024-02-29' GROUP BY name;",
    "\tdef area(r):\n\t\treturn 3.14159 * r ** 2  # circle\r\n",
]

PAIRS = [
    (
        "How many people live in Berlin?",
        "Berlin had a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers.",
    ),
    ("How many people live in Berlin?", "Berlin is well known for its museums."),
    ("can I get my money back", "Purchases may be returned within thirty days for a full refund."),
    ("can I get my money back", "The bank of the river was covered with reeds."),
    ("why is the sky blue", "Air scatters short waves of light more than long ones, so the sky looks blue."),
    ("Why is the Sky BLUE?", "Air scatters short waves of light more than long ones, so the sky looks blue."),
    ("rechnung bezahlen frist", "Die Rechnung ist innerhalb von 30 Tagen ohne Abzug zu begleichen."),
    ("", ""),
    ("", "A document without a query."),
    ("a query without a document", ""),
    (" ", "\n"),
    ("a", "b"),
    ("🙂", "👩‍👩‍👧‍👦 family"),
    ("中文", "中文和English混在一起。"),
    ("[SEP]", "a [SEP] b [CLS] c"),
    ("long document", {"text": "The committee met again and decided nothing of any consequence. ", "times": 500}),
    ({"text": "many words in a query ", "times": 500}, "short document"),
    ({"text": "both are long ", "times": 200}, {"text": "and neither of them ends ", "times": 200}),
    ({"text": "x", "times": 5000}, {"text": "y ", "times": 5000}),
    ("control", "\u0000\u0007\u001b[31m\u007f\u0085"),
    ("latin", {"hex": "636166e920696e206c6174696e2d31"}),
    ({"hex": "f09f9820637574"}, {"hex": "eda080fffe20e4b8"}),
    ("what is 2 + 2", "4"),
    ("e\u0301", "\u00e9"),
]


def text_of(spec) -> str:
    if isinstance(spec, str):
        return spec
    if "hex" in spec:
        return bytes.fromhex(spec["hex"]).decode("utf-8", "replace")
    return spec["text"] * spec["times"]


def rounded(values, decimals: int = 6) -> list[float]:
    return [round(float(value), decimals) for value in values]


def header() -> dict:
    return {
        "made_by": "tests/oracle/encoder_goldens.py",
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def write_golden(path: pathlib.Path, head: dict, name: str, rows: list) -> None:
    """One row a line, so that a change shows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(row, separators=(",", ":"), ensure_ascii=True) for row in rows)
    path.write_text(f"{json.dumps(head)[:-1]}, {json.dumps(name)}: [\n{lines}\n]}}\n")


def tokens_dropped(model, texts: tuple[str, ...]) -> int:
    """What truncation removed: the tokens without a limit less those that the model reads."""
    features = model.preprocess([texts if len(texts) == 2 else texts[0]])
    unlimited = model.tokenizer(*([text] for text in texts), truncation=False, verbose=False)
    return len(unlimited["input_ids"][0]) - features["input_ids"].shape[1]


# ----------------------------------------------------------------------------------------------- published checkpoints


def write_real(models: pathlib.Path) -> None:
    for name in BI_ENCODERS:
        model = sentence_transformers.SentenceTransformer(str(models / name), **F32)
        vectors = model.encode([text_of(spec) for spec in TEXTS])
        rows = []
        for index, (spec, vector) in enumerate(zip(TEXTS, vectors)):
            stride = 1 if index < FULL_VECTORS else SAMPLE_STRIDE
            row = {"text": spec, "tokens_dropped": tokens_dropped(model, (text_of(spec),)), "stride": stride}
            rows.append(row | {"vector": rounded(vector[::stride])})
        head = header() | {"model": name, "dimensions": vectors.shape[1]}
        write_golden(GOLDENS / "encoder" / f"{name}.json", head, "texts", rows)
    for name in CROSS_ENCODERS:
        model = sentence_transformers.CrossEncoder(str(models / name), **F32)
        pairs = [(text_of(query), text_of(document)) for query, document in PAIRS]
        logits = model.predict(pairs, activation_fn=torch.nn.Identity()).reshape(len(pairs), -1)
        rows = [
            {
                "query": query,
                "document": document,
                "tokens_dropped": tokens_dropped(model, pair),
                "logits": rounded(row),
            }
            for (query, document), pair, row in zip(PAIRS, pairs, logits)
        ]
        write_golden(GOLDENS / "encoder" / f"{name}.json", header() | {"model": name}, "pairs", rows)


# -------------------------------------------------------------------------------------------------- the tiny checkpoint

TINY = GOLDENS / "tiny-bert"
HIDDEN = 64
WORDS = """the a of and to in is it on that was for as with at by from this not are but had his they she which you one
we all were when there can if no what so up out them then cat sat mat search query passage text model fast slow red
boat water night day""".split()
TINY_TEXTS = [
    "The cat sat on the mat.",
    "",
    "a [SEP] b, d'où 中",
    {"text": "they had one red boat and that was all ", "times": 12},
]
TINY_PAIRS = [
    ["what is it", "this is a fast model, not a slow one."],
    ["", ""],
    ["the night", {"text": "day and night and water ", "times": 15}],
    [{"text": "when was that ", "times": 9}, {"text": "it was for you ", "times": 9}],
]
OLD_CLASS = "sentence_transformers.models."
NEW_CLASS = {
    "Transformer": "sentence_transformers.base.modules.transformer.Transformer",
    "Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
    "Dense": "sentence_transformers.base.modules.dense.Dense",
    "Normalize": "sentence_transformers.base.modules.normalize.Normalize",
}
POOLING_FLAGS = {
    "cls": "cls_token",
    "max": "max_tokens",
    "mean": "mean_tokens",
    "mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "weightedmean": "weightedmean_tokens",
    "lasttoken": "lasttoken",
}


def tiny_tokenizer() -> tokenizers.Tokenizer:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *".,?!:-'", *letters, *(f"##{c}" for c in letters)]
    vocabulary += [word for word in WORDS if len(word) > 1]
    ids = {token: index for index, token in enumerate(vocabulary)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    tokenizer.decoder = tokenizers.decoders.WordPiece()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return tokenizer


def write_tiny_checkpoint() -> dict:
    """The files that variants are put together from. Returns config.json, which variants change."""
    TINY.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer()
    tokenizer.save(str(TINY / "tokenizer.json"), pretty=False)
    config = transformers.BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=40,
        initializer_range=0.25,
        num_labels=3,
    )
    torch.manual_seed(20240229)
    tensors = transformers.BertForSequenceClassification(config).state_dict()
    for name, tensor in tensors.items():
        if name.endswith("LayerNorm.weight"):
            tensor.add_(0.2 * torch.randn_like(tensor))
        elif name.endswith("bias"):
            tensor.copy_(0.2 * torch.randn_like(tensor))
    # Weights are stored in two bytes, which keeps the files small and is what many published folders do.
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items() if not name.endswith("position_ids")}
    encoder = {name: tensor.half() for name, tensor in tensors.items() if name.startswith("bert.")}
    head = {name: tensor.bfloat16() for name, tensor in tensors.items() if name.startswith("classifier.")}
    safetensors.torch.save_file(encoder, TINY / "encoder.safetensors", {"format": "pt"})
    safetensors.torch.save_file(head, TINY / "classifier-3.safetensors", {"format": "pt"})
    one = {name: tensor[:1].float().contiguous() for name, tensor in head.items()}
    safetensors.torch.save_file(one, TINY / "classifier-1.safetensors", {"format": "pt"})
    for name, outputs in (("dense-32", 32), ("dense-64", HIDDEN)):
        linear = torch.nn.Linear(HIDDEN, outputs)
        weights = {f"linear.{key}": value.detach().half() for key, value in linear.state_dict().items()}
        safetensors.torch.save_file(weights, TINY / f"{name}.safetensors")
    raw = json.loads(config.to_json_string(use_diff=False))
    kept = (
        "model_type hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act vocab_size "
        "max_position_embeddings type_vocab_size layer_norm_eps pad_token_id position_embedding_type"
    ).split()
    return {key: raw[key] for key in kept if key in raw}


def shards(tensor_files: list[str]) -> dict:
    """model.safetensors.index.json and the shards that it names."""
    total = len(tensor_files)
    files, weight_map = {}, {}
    for number, file in enumerate(tensor_files, 1):
        shard = f"model-{number:05}-of-{total:05}.safetensors"
        files[shard] = {"copy": file}
        with safetensors.safe_open(TINY / file, "pt") as opened:
            weight_map |= {name: shard for name in opened.keys()}
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    return files | {"model.safetensors.index.json": {"json": index}}


def modules_json(names: list[str], new_schema: bool) -> dict:
    return {
        "json": [
            {
                "idx": index,
                "name": str(index),
                "path": f"{index}_{name}" if index else "",
                "type": NEW_CLASS[name] if new_schema else OLD_CLASS + name,
            }
            for index, name in enumerate(names)
        ]
    }


def old_pooling(modes: list[str], **more) -> dict:
    flags = {f"pooling_mode_{flag}": mode in modes for mode, flag in POOLING_FLAGS.items()}
    return {"json": {"word_embedding_dimension": HIDDEN} | flags | more}


def tiny_variants(config: dict) -> list[dict]:
    """What each folder holds, the options it is opened with, and how many of TINY_TEXTS it is asked; pairs: all."""
    common = {
        "config.json": {"json": config | {"architectures": ["BertModel"]}},
        "model.safetensors": {"copy": "encoder.safetensors"},
        "tokenizer.json": {"copy": "tokenizer.json"},
        "tokenizer_config.json": {
            "json": {"tokenizer_class": "BertTokenizer", "model_max_length": 36, "pad_token": "[PAD]"}
            | {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
        },
    }

    def bi(name: str, files: dict, options: dict | None = None, role: str = "plain", texts: int = 4) -> dict:
        return {
            "name": name,
            "kind": "bi",
            "files": common | files,
            "options": options or {},
            "role": role,
            "texts": texts,
        }

    def old(pooling: dict, *more: str) -> dict:
        return {
            "modules.json": modules_json(["Transformer", "Pooling", *more], new_schema=False),
            "sentence_bert_config.json": {"json": {"max_seq_length": 32, "do_lower_case": False}},
            "1_Pooling/config.json": pooling,
        }

    def new(pooling: dict, *more: str) -> dict:
        return {
            "modules.json": modules_json(["Transformer", "Pooling", *more], new_schema=True),
            "1_Pooling/config.json": {"json": {"embedding_dimension": HIDDEN} | pooling},
        }

    def dense(file: str, outputs: int, activation: str, bias: bool = True, **more) -> dict:
        config = {"in_features": HIDDEN, "out_features": outputs, "bias": bias, "activation_function": activation}
        return {"2_Dense/config.json": {"json": config | more}, "2_Dense/model.safetensors": {"copy": file}}

    def prompts(default: str | None) -> dict:
        texts = {"query": "search query: ", "passage": "passage: ", "slow": "slow text, "}
        value = {"prompts": texts, "default_prompt_name": default, "similarity_fn_name": "cosine"}
        return {"config_sentence_transformers.json": {"json": value}}

    def cross(name: str, labels: int, declared: dict, activation: str) -> dict:
        names = {str(index): f"LABEL_{index}" for index in range(labels)}
        value = config | {"architectures": ["BertForSequenceClassification"], "id2label": names}
        value |= {"label2id": {label: int(index) for index, label in names.items()}} | declared
        files = {"config.json": {"json": value}} | shards(["encoder.safetensors", f"classifier-{labels}.safetensors"])
        kept = {path: source for path, source in common.items() if path != "model.safetensors"}
        options = {"activation": activation}
        return {"name": name, "kind": "cross", "files": kept | files, "options": options}

    mean, two = old_pooling(["mean"]), 2
    identity, tanh = "torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Tanh"
    sigmoid = "torch.nn.modules.activation.Sigmoid"
    return [
        *(bi(f"old schema, {mode}", old(old_pooling([mode]))) for mode in POOLING_FLAGS),
        *(bi(f"new schema, {mode}", new({"pooling_mode": mode}), texts=two) for mode in POOLING_FLAGS),
        bi("old schema, every pooling at once", old(old_pooling(list(POOLING_FLAGS))), texts=two),
        bi("new schema, two poolings", new({"pooling_mode": ["mean", "cls"]}), texts=two),
        bi("no modules.json", {}),
        bi("normalised", old(mean, "Normalize")),
        bi("normalised because asked", old(mean), {"normalize": True}, texts=two),
        bi("first dimensions", old(mean), {"dimensions": 16}, texts=two),
        bi("first dimensions of a normalised vector", old(mean, "Normalize"), {"dimensions": 16}, texts=two),
        bi("first dimensions, normalised", old(mean), {"dimensions": 16, "normalize": True}, texts=two),
        bi("max_length given", old(mean), {"max_length": 7}),
        bi("lower-cased", old(mean) | {"sentence_bert_config.json": {"json": {"do_lower_case": True}}}),
        bi("Dense, Tanh, Normalize", old(mean, "Dense", "Normalize") | dense("dense-32.safetensors", 32, tanh)),
        bi("Dense, Identity", old(mean, "Dense") | dense("dense-64.safetensors", HIDDEN, identity), texts=two),
        bi(
            "Dense, residual",
            new({"pooling_mode": "mean"}, "Dense") | dense("dense-64.safetensors", HIDDEN, tanh, use_residual=True),
            texts=two,
        ),
        bi("default prompt", old(mean) | prompts("slow")),
        bi("query prompt", old(mean) | prompts("slow"), role="query"),
        bi("document prompt", old(mean) | prompts("slow"), role="document"),
        bi("no default prompt", old(mean) | prompts(None), texts=two),
        bi("prompt by name", old(mean) | prompts(None), {"prompt_name": "passage"}, texts=two),
        bi(
            "prompt left out of mean pooling",
            new({"pooling_mode": "mean", "include_prompt": False}) | prompts("query"),
        ),
        bi(
            "prompt left out of weighted mean pooling",
            old(old_pooling(["weightedmean"], include_prompt=False)) | prompts("query"),
        ),
        bi("prompt left out of cls pooling", new({"pooling_mode": "cls", "include_prompt": False}) | prompts("query")),
        cross("one label, Identity declared", 1, {"sentence_transformers": {"activation_fn": identity}}, "auto"),
        cross("one label, Identity declared as of old", 1, {"sbert_ce_default_activation_function": identity}, "auto"),
        cross("one label, nothing declared", 1, {}, "auto"),
        cross("one label, sigmoid asked", 1, {"sentence_transformers": {"activation_fn": identity}}, "sigmoid"),
        cross("one label, none asked", 1, {"sentence_transformers": {"activation_fn": sigmoid}}, "none"),
        cross("three labels, nothing declared", 3, {}, "auto"),
        cross("three labels, softmax asked", 3, {}, "softmax"),
    ]


def materialise(variant: dict, folder: pathlib.Path) -> None:
    for name, source in variant["files"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if "json" in source:
            path.write_text(json.dumps(source["json"]))
        else:
            shutil.copy(TINY / source["copy"], path)


def answer_bi(variant: dict, folder: str) -> list:
    options = variant["options"]
    model = sentence_transformers.SentenceTransformer(folder, **F32)
    if "max_length" in options:
        model.max_seq_length = options["max_length"]
    texts = [text_of(spec) for spec in TINY_TEXTS[: variant["texts"]]]
    encode = {"plain": model.encode, "query": model.encode_query, "document": model.encode_document}[variant["role"]]
    arguments = {
        "normalize_embeddings": options.get("normalize", False),
        "truncate_dim": options.get("dimensions"),
        "prompt_name": options.get("prompt_name"),
    }
    # One text at a time, so that padding cannot matter. Five decimals are a quarter of the bound, 2e-5.
    return [rounded(encode([text], **arguments)[0], 5) for text in texts]


def answer_cross(variant: dict, folder: str) -> list:
    model = sentence_transformers.CrossEncoder(folder, **F32)
    activation = variant["options"]["activation"]
    functions = {"none": torch.nn.Identity(), "sigmoid": torch.nn.Sigmoid(), "auto": None}
    pairs = [(text_of(query), text_of(document)) for query, document in TINY_PAIRS]
    arguments = {"apply_softmax": True} if activation == "softmax" else {"activation_fn": functions[activation]}
    return [rounded(np.atleast_1d(model.predict([pair], **arguments)[0])) for pair in pairs]


def write_tiny() -> None:
    variants = tiny_variants(write_tiny_checkpoint())
    for variant in variants:
        with tempfile.TemporaryDirectory() as folder:
            materialise(variant, pathlib.Path(folder))
            variant["results"] = (answer_bi if variant["kind"] == "bi" else answer_cross)(variant, folder)
            print(f"{variant['name']}: {len(variant['results'])} x {len(variant['results'][0])}")
    # Written once: what every folder has unless its variant says otherwise. None: this one lacks it.
    names = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    common = {name: variants[0]["files"][name] for name in names}
    for variant in variants:
        differing = {path: source for path, source in variant["files"].items() if common.get(path) != source}
        variant["files"] = {path: None for path in common if path not in variant["files"]} | differing
    head = header() | {"files": common, "texts": TINY_TEXTS, "pairs": TINY_PAIRS}
    write_golden(TINY / "golden.json", head, "variants", variants)
    for path in TINY.iterdir():
        path.chmod(0o644)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("real", "tiny"))
    parser.add_argument("--models", type=pathlib.Path, help="the published checkpoints, for 'real'")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.what == "tiny":
        write_tiny()
    elif arguments.models:
        write_real(arguments.models)
    else:
        parser.error("'real' needs --models")


if __name__ == "__main__":
    main()
