"""Random checkpoints in exactly the layouts of published models, loaded by their ids and compared with
sentence-transformers: see docs/models.md.

    python published_layouts.py [--only ID…] [--items 120]

Each folder has the names of files, the configuration, the depth and the widths of the published one; its weights are
random. So is its vocabulary where no package carries the real one: BERT's and GPT-2's are real, the pieces of XLM-R are
trained here with SentencePiece's own normaliser. Ends with status 1 when token ids or f32 results differ.
"""

import argparse
import copy
import functools
import json
import os
import pathlib
import random
import sys
import tempfile
from collections.abc import Callable

os.environ["HF_HUB_OFFLINE"] = "1"
import numpy as np
import parity
import parity_cli
import parity_texts
import safetensors.torch
import sentence_transformers
import tokenizer_kinds
import torch
import transformers

GPT2 = parity_texts.PROJECT / "build" / "tokenizers" / "gpt2"
IDENTITY = "torch.nn.modules.linear.Identity"


# ---------------------------------------------------------------------------------------------------------- tokenizers


@functools.cache
def bert_vocabulary(models: pathlib.Path) -> str:
    """That of bert-base-uncased, which all-MiniLM-L6-v2 has."""
    text = (models / "all-MiniLM-L6-v2" / "tokenizer.json").read_text(encoding="utf-8")
    vocabulary = json.loads(text)["model"]["vocab"]
    return "".join(f"{token}\n" for token in sorted(vocabulary, key=vocabulary.get))


def special_tokens_map(family: str) -> dict:
    bert = {"unk": "[UNK]", "sep": "[SEP]", "pad": "[PAD]", "cls": "[CLS]", "mask": "[MASK]"}
    mask = {"content": "<mask>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False}
    fairseq = {"bos": "<s>", "eos": "</s>", "unk": "<unk>", "sep": "</s>", "pad": "<pad>", "cls": "<s>", "mask": mask}
    return {f"{role}_token": token for role, token in (bert if family == "bert" else fairseq).items()}


def with_tokenizer_json(folder: pathlib.Path, model_type: str) -> None:
    """Adds the tokenizer.json that transformers makes of the other files."""
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))


def word_piece(folder: pathlib.Path, models: pathlib.Path, *, fast: bool = True, **config) -> int:
    text = bert_vocabulary(models)
    (folder / "vocab.txt").write_text(text, encoding="utf-8")
    if fast:
        with_tokenizer_json(folder, "bert")
    config = {"do_lower_case": True, "model_max_length": 512, "tokenizer_class": "BertTokenizer"} | config
    write_json(folder / "tokenizer_config.json", config | special_tokens_map("bert"))
    write_json(folder / "special_tokens_map.json", special_tokens_map("bert"))
    return text.count("\n")


def byte_level_bpe(folder: pathlib.Path, models: pathlib.Path, **config) -> int:
    """vocab.json and merges.txt alone, RoBERTa's special tokens around GPT-2's."""
    model = tokenizer_kinds.gpt2_model(GPT2 if GPT2.is_dir() else None)
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    words = [word for word in sorted(model["vocab"], key=model["vocab"].get) if word not in (*names, "<mask>")]
    vocabulary = {word: index for index, word in enumerate([*names, *words, "<mask>"])}
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    write_json(folder / "vocab.json", vocabulary)
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")
    write_json(folder / "special_tokens_map.json", special_tokens_map("roberta"))
    write_json(folder / "tokenizer_config.json", {"model_max_length": 512} | config)
    return len(vocabulary)


def sentence_piece(folder: pathlib.Path, models: pathlib.Path, *, fast: bool = True, **config) -> int:
    proto = tokenizer_kinds.unigram_proto()
    (folder / "sentencepiece.bpe.model").write_bytes(proto.SerializeToString())
    if fast:
        with_tokenizer_json(folder, "xlm-roberta")
    config = {"model_max_length": 512, "tokenizer_class": "XLMRobertaTokenizer"} | config
    write_json(folder / "tokenizer_config.json", config | special_tokens_map("xlm-roberta"))
    write_json(folder / "special_tokens_map.json", special_tokens_map("xlm-roberta"))
    return len(proto.pieces) + 2  # <pad> and <mask> are not among its pieces.


# ------------------------------------------------------------------------------------------------------------- layouts


def sizes(width: int, layers: int, heads: int) -> dict:
    return {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads} | (
        {"intermediate_size": 4 * width}
    )


def bert(width: int, layers: int, heads: int, **more) -> dict:
    return {"model_type": "bert", "max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12} | (
        sizes(width, layers, heads) | {"hidden_act": "gelu", "pad_token_id": 0} | more
    )


def roberta(kind: str, width: int, layers: int, heads: int, **more) -> dict:
    return {"model_type": kind, "max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5} | (
        sizes(width, layers, heads) | {"hidden_act": "gelu", "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    ) | more


def one_label(**more) -> dict:
    return {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}} | more


def sentence_files(pooling: str, length: int, *, normalize: bool, prompts: dict | None = None) -> dict[str, object]:
    """What sentence-transformers adds, as its versions up to 5.3 wrote it."""
    modules = ["Transformer", "Pooling"] + ["Normalize"] * normalize
    paths = ["", "1_Pooling", "2_Normalize"]
    modes = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens"]
    return {
        "modules.json": [
            {"idx": index, "name": str(index), "path": paths[index], "type": f"sentence_transformers.models.{name}"}
            for index, name in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": length, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": None}
        | {f"pooling_mode_{mode}": mode.startswith(pooling) for mode in modes},
        "config_sentence_transformers.json": {"__version__": {"sentence_transformers": "2.2.2"}}
        | ({"prompts": prompts} if prompts else {}),
    }


class Layout:
    """`tokenizer` writes its files and returns the vocabulary's size; `weights` is the name of the weight file."""

    def __init__(self, config: dict, tokenizer: Callable, weights: str, files: dict | None = None, **options):
        self.config, self.tokenizer, self.weights = config, functools.partial(tokenizer, **options), weights
        self.files = files or {}


BIN, SAFETENSORS = "pytorch_model.bin", "model.safetensors"
BI_ENCODERS = {
    "sentence-transformers/paraphrase-multilingual-mpnet-base-v2": Layout(
        roberta("xlm-roberta", 768, 12, 12, architectures=["XLMRobertaModel"]), sentence_piece, SAFETENSORS,
        sentence_files("mean_tokens", 128, normalize=False), model_max_length=128,
    ),
    "allenai/specter2_base": Layout(bert(768, 12, 12, architectures=["BertModel"]), word_piece, BIN),
    "microsoft/codebert-base": Layout(
        roberta("roberta", 768, 12, 12, architectures=["RobertaModel"]), byte_level_bpe, BIN
    ),
    "sentence-transformers/all-distilroberta-v1": Layout(
        roberta("roberta", 768, 6, 12, architectures=["RobertaForMaskedLM"]), byte_level_bpe, BIN,
        sentence_files("mean_tokens", 512, normalize=True),
    ),
    "intfloat/e5-small-v2": Layout(
        bert(384, 12, 12, architectures=["BertModel"]), word_piece, SAFETENSORS,
        sentence_files("mean_tokens", 512, normalize=True),
    ),
    "thenlper/gte-small": Layout(
        bert(384, 12, 12, architectures=["BertModel"]), word_piece, SAFETENSORS,
        sentence_files("mean_tokens", 512, normalize=True),
    ),
    # BERT's graph behind XLM-R's tokenizer.
    "intfloat/multilingual-e5-small": Layout(
        bert(384, 12, 12, architectures=["BertModel"], tokenizer_class="XLMRobertaTokenizer"), sentence_piece,
        SAFETENSORS, sentence_files("mean_tokens", 512, normalize=True),
    ),
}  # fmt: skip
CROSS_ENCODERS = {
    "cross-encoder/ms-marco-electra-base": Layout(
        {"model_type": "electra", "max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
         "hidden_act": "gelu", "embedding_size": 768, "pad_token_id": 0, "summary_activation": "gelu",
         "summary_type": "first", "summary_use_proj": True, "architectures": ["ElectraForSequenceClassification"],
         **sizes(768, 12, 12), **one_label(sbert_ce_default_activation_function=IDENTITY)},
        word_piece, BIN, fast=False,
    ),
    "cross-encoder/ms-marco-TinyBERT-L-2-v2": Layout(
        bert(128, 2, 2, architectures=["BertForSequenceClassification"],
             **one_label(sbert_ce_default_activation_function=IDENTITY)),
        word_piece, BIN, fast=False,
    ),
    # TinyBERT's heads are 26 wide, its layers 312.
    "cross-encoder/ms-marco-TinyBERT-L-4": Layout(
        bert(312, 4, 12, intermediate_size=1200, architectures=["BertForSequenceClassification"], **one_label()),
        word_piece, BIN, fast=False,
    ),
    "cross-encoder/ms-marco-MiniLM-L-6-v2": Layout(
        bert(384, 6, 12, architectures=["BertForSequenceClassification"],
             **one_label(sentence_transformers={"activation_fn": IDENTITY, "version": "4.1.0"})),
        word_piece, SAFETENSORS,
    ),
    "cross-encoder/mmarco-mMiniLMv2-L12-H384-v1": Layout(
        roberta("xlm-roberta", 384, 12, 12, architectures=["XLMRobertaForSequenceClassification"],
                **one_label(sbert_ce_default_activation_function=IDENTITY)),
        sentence_piece, BIN,
    ),
    "BAAI/bge-reranker-base": Layout(
        roberta("xlm-roberta", 768, 12, 12, architectures=["XLMRobertaForSequenceClassification"], **one_label()),
        sentence_piece, SAFETENSORS,
    ),
    "cross-encoder/stsb-roberta-base": Layout(
        roberta("roberta", 768, 12, 12, architectures=["RobertaForSequenceClassification"], **one_label()),
        byte_level_bpe, BIN,
    ),
    # The oldest folder of XLM-R: nothing but SentencePiece's own file.
    "org/xlm-roberta-sentencepiece-alone": Layout(
        roberta("xlm-roberta", 384, 2, 6, architectures=["XLMRobertaForSequenceClassification"], **one_label()),
        sentence_piece, BIN, fast=False,
    ),
}  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ checking


def write_json(path: pathlib.Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_layout(folder: pathlib.Path, model_id: str, layout: Layout, models: pathlib.Path, seed: int) -> None:
    folder.mkdir(parents=True)
    tokens = layout.tokenizer(folder, models)
    config = copy.deepcopy(layout.config) | {"vocab_size": tokens}
    is_cross = model_id in CROSS_ENCODERS
    kind = transformers.AutoConfig.for_model(
        **config, initializer_range=1.4 / config["hidden_size"] ** 0.5, num_labels=1 if is_cross else 2
    )
    torch.manual_seed(seed)
    maker = transformers.AutoModelForSequenceClassification if is_cross else transformers.AutoModel
    tensors = {name: tensor.contiguous() for name, tensor in maker.from_config(kind).state_dict().items()}
    for name, tensor in tensors.items():
        if name.endswith("bias"):
            tensor.copy_(0.2 * torch.randn_like(tensor))
    if layout.weights == BIN:
        torch.save(tensors, folder / BIN)
    else:
        safetensors.torch.save_file(tensors, folder / SAFETENSORS, {"format": "pt"})
    for name, value in layout.files.items():
        if name == "1_Pooling/config.json":
            value = value | {"word_embedding_dimension": config["hidden_size"]}
        write_json(folder / name, value)
    write_json(folder / "config.json", config)
    record = {"format": 1, "id": model_id, "revision": "main", "source": "hub", "version": "0", "files": []}
    write_json(folder / "tandem.json", record)


def check(report: parity.Report, folder: pathlib.Path, model_id: str, count: int) -> None:
    options = {"device": "cpu", "model_kwargs": {"dtype": torch.float32}}
    is_cross = model_id in CROSS_ENCODERS
    items = parity_texts.pairs(2200) if is_cross else parity_texts.items(2200)
    items = random.Random(7).sample(items, count)
    if is_cross:
        reference = sentence_transformers.CrossEncoder(str(folder), **options)
        texts = [item.decoded() for item in items]
        wanted = reference.predict(texts, activation_fn=torch.nn.Identity()).reshape(len(items), -1)
        compute, check_f32 = parity_cli.Model.score, parity.check_logits
    else:
        reference = sentence_transformers.SentenceTransformer(str(folder), **options)
        wanted = reference.encode([item.decoded()[0] for item in items])
        compute, check_f32 = parity_cli.Model.embed, parity.check_embeddings
    report.section(f"{model_id}: {', '.join(sorted(path.name for path in folder.iterdir() if path.is_file()))}")
    model = parity_cli.Model(model_id)
    parity.check_tokens(report, reference, model, items)
    groups = np.array(["all"] * len(items))
    check_f32(report, model_id, "f32", groups, wanted, compute(model, items, "f32"))
    for precision in ("bf16", "int8"):
        found = compute(model, items, precision)
        if is_cross:
            errors = np.abs(found - wanted)
            spread = f"{errors.mean():.4f}, {errors.max():.4f}; standard deviation of the logits {wanted.std():.3f}"
            report.tell(f"{precision} logit error, mean, maximum", spread)
        else:
            cosine = parity.cosines(wanted, found)
            report.tell(f"{precision} cosine, mean, minimum", f"{cosine.mean():.6f}, {cosine.min():.6f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=pathlib.Path, required=True, help="holds all-MiniLM-L6-v2")
    known = [*BI_ENCODERS, *CROSS_ENCODERS]
    parser.add_argument("--only", nargs="+", choices=known, default=known, metavar="ID")
    parser.add_argument("--items", type=int, default=120, help="texts or pairs for each")
    arguments = parser.parse_args()
    report = parity.Report()
    for seed, model_id in enumerate(arguments.only):
        layout = (BI_ENCODERS | CROSS_ENCODERS)[model_id]
        with tempfile.TemporaryDirectory() as home:
            folder = pathlib.Path(home, "models", model_id.replace("/", "--"))
            write_layout(folder, model_id, layout, arguments.models, seed)
            os.environ["TANDEM_HOME"] = home
            check(report, folder, model_id, arguments.items)
    report.print("", f"{report.broken} bounds broken." if report.broken else "Every bound holds.")
    sys.exit(1 if report.broken else 0)


if __name__ == "__main__":
    main()
