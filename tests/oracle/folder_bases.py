"""The folders that folder_parity.py changes: every model family, in the layouts that sentence-transformers and
transformers have saved since 2019, with tiny random weights.

A folder in memory is {name: content}: JSON values, bytes for other files, and pathlib.Path for weights, which are made
once and linked.
"""

import copy
import functools
import io
import json
import pathlib
import tempfile

import safetensors.torch
import sentencepiece
import torch
import transformers
from folder_changes import bytes_of, dumps
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

HIDDEN, LAYERS, HEADS, WIDE = 32, 2, 4, 64
# Rows of embeddings behind the vocabulary: so that an added token has a vector.
SPARE_ROWS = 8
POSITIONS, TOKENIZER_LENGTH, SENTENCE_LENGTH = 48, 40, 32
FAMILIES = ("bert", "camembert", "distilbert", "electra", "mpnet", "roberta", "xlm-roberta")
BI_ROLES = ("bi-old", "bi-oldest", "bi-new", "bi-plain")
CROSS_ROLES = ("cross-plain", "cross-config", "cross-modules")
ROLES = BI_ROLES + CROSS_ROLES
# bi-oldest: all of the transformer's files in a folder of their own.
# full: as transformers 4 saves; new: as 5 does; json: tokenizer.json alone; slow: the oldest files alone; old: these
# and their configuration; both: full and slow.
FORMS = ("full", "new", "json", "slow", "old", "both")
IDENTITY = "torch.nn.modules.linear.Identity"
EXTRA = "<extra>"

WORDS = (
    "the of and to in is was for it on as with that this one two three model text search query passage small large "
    "fast slow red boat night day when where what who how long short cat sat mat bonjour caf\u00e9 nai\u0308ve Paris "
    "Berlin"
).split()
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
OTHERS = "\u00e9\u00c9\u00fc\u00df\u0130\u0131\u4e2d\u6587\u5b57\uff21\u0301\u0308\u2122"
MARKS = ".,?!:;'\"-()[]<>/_"
CORPUS = [
    "the cat sat on the mat and the red boat was small in the night",
    "what is the model for search of one text or a long passage when it is slow",
    "Bonjour caf\u00e9 na\u00efve Paris and Berlin, who was it? one two three; query: how large",
    "the fast model and the large text with that short query, this is for the day [as] it was (where) /there/",
    "\u4e2d\u6587\u5b57 and \uff21\uff22\uff23 \u2122 with 0123456789 <x> 'y' \"z\" a_b - end!",
]
BERT = {"unk": "[UNK]", "sep": "[SEP]", "pad": "[PAD]", "cls": "[CLS]", "mask": "[MASK]"}
FAIRSEQ = {"bos": "<s>", "eos": "</s>", "unk": "<unk>", "sep": "</s>", "pad": "<pad>", "cls": "<s>", "mask": "<mask>"}
CLASSES = {
    "bert": "BertTokenizer",
    "camembert": "CamembertTokenizer",
    "distilbert": "DistilBertTokenizer",
    "electra": "ElectraTokenizer",
    "mpnet": "MPNetTokenizer",
    "roberta": "RobertaTokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
}


def is_bert_like(family: str) -> bool:
    return family in ("bert", "distilbert", "electra")


def specials_of(family: str) -> dict[str, str]:
    if is_bert_like(family):
        return BERT
    return FAIRSEQ | {"unk": "[UNK]"} if family == "mpnet" else FAIRSEQ


# ---------------------------------------------------------------------------------------------------------- tokenizers


def word_pieces(family: str) -> list[str]:
    if family == "mpnet":
        head, tail = ["<s>", "<pad>", "</s>", "[UNK]"], ["<mask>"]
    else:
        head, tail = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]"], []
    lower = sorted({word.lower() for word in WORDS} | set(WORDS))
    letters = list(dict.fromkeys(LETTERS + OTHERS))
    pieces = [*head, *MARKS, *letters, *(f"##{letter}" for letter in letters), *lower, *tail]
    return list(dict.fromkeys(pieces))


@functools.cache
def byte_pairs() -> tuple[dict[str, int], list[str]]:
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        CORPUS * 3,
        trainers.BpeTrainer(vocab_size=420, special_tokens=names, initial_alphabet=alphabet, show_progress=False),
    )
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary = model["vocab"] | {"<mask>": len(model["vocab"])}
    return vocabulary, [" ".join(merge) if isinstance(merge, list) else merge for merge in model["merges"]]


@functools.cache
def sentence_piece_model() -> bytes:
    """Unigram with a small table of replacements."""
    rules = {"\uff21": "A", "\uff22": "B", "\uff23": "C", "\u2122": "TM", "\u3000": " ", "e\u0301": "\u00e9"}
    lines = [" ".join(f"{ord(c):X}" for c in old) + "\t" + " ".join(f"{ord(c):X}" for c in new)
             for old, new in rules.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        stream = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS * 3), model_writer=stream, vocab_size=260, model_type="unigram",
            normalization_rule_tsv=file.name, hard_vocab_limit=False, character_coverage=1.0, minloglevel=2,
            num_threads=1,
        )
    return stream.getvalue()


@functools.cache
def slow_files(family: str) -> dict[str, bytes]:
    if family == "roberta":
        vocabulary, merges = byte_pairs()
        return {"vocab.json": dumps(vocabulary), "merges.txt": "\n".join(["#version: 0.2", *merges, ""]).encode()}
    if family in ("xlm-roberta", "camembert"):
        return {"sentencepiece.bpe.model": sentence_piece_model()}
    return {"vocab.txt": "".join(f"{piece}\n" for piece in word_pieces(family)).encode()}


@functools.cache
def saved_by_transformers(family: str) -> dict[str, object]:
    """What transformers 5 saves after it has read the slow files."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        for name, content in slow_files(family).items():
            (path / name).write_bytes(content)
        (path / "config.json").write_bytes(dumps({"model_type": family}))
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        tokenizer.model_max_length = TOKENIZER_LENGTH
        target = path / "saved"
        tokenizer.save_pretrained(target)
        return {file.name: json.loads(file.read_bytes()) for file in sorted(target.iterdir())}


def tokenizer_size(family: str) -> int:
    file = saved_by_transformers(family)["tokenizer.json"]
    return 1 + max([len(file["model"]["vocab"]) - 1, *(token["id"] for token in file["added_tokens"])])


def special_tokens_map(family: str) -> dict[str, object]:
    names = {f"{role}_token": token for role, token in specials_of(family).items()}
    if family in ("roberta", "xlm-roberta", "mpnet"):
        mask = {"content": "<mask>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False}
        names["mask_token"] = mask
    if family == "camembert":
        names["additional_special_tokens"] = ["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"]
    return names


def tokenizer_config(family: str) -> dict[str, object]:
    """As transformers 4.40 and its neighbours wrote it."""
    file = saved_by_transformers(family)["tokenizer.json"]
    names = {key: value["content"] if isinstance(value, dict) else value
             for key, value in special_tokens_map(family).items()}
    flags = ("content", "lstrip", "normalized", "rstrip", "single_word", "special")
    decoder = {str(token["id"]): {flag: token[flag] for flag in flags} for token in file["added_tokens"]}
    config = {"added_tokens_decoder": decoder, "clean_up_tokenization_spaces": True}
    config |= {"model_max_length": TOKENIZER_LENGTH}
    if "vocab.txt" in slow_files(family):
        config |= {"do_lower_case": True, "strip_accents": None, "tokenize_chinese_chars": True}
    if family == "roberta":
        config |= {"add_prefix_space": False, "errors": "replace", "trim_offsets": True}
    return config | names | {"tokenizer_class": CLASSES[family]}


def tokenizer_files(family: str, form: str) -> dict[str, object]:
    saved = saved_by_transformers(family)
    configuration = {"tokenizer_config.json": tokenizer_config(family),
                     "special_tokens_map.json": special_tokens_map(family)}
    old = {key: value for key, value in configuration["tokenizer_config.json"].items()
           if key not in ("added_tokens_decoder", "clean_up_tokenization_spaces")}
    files = {
        "full": {"tokenizer.json": saved["tokenizer.json"]} | configuration,
        "new": dict(saved),
        "json": {"tokenizer.json": saved["tokenizer.json"]},
        "slow": slow_files(family),
        "old": slow_files(family) | configuration | {"tokenizer_config.json": old},
        "both": {"tokenizer.json": saved["tokenizer.json"]} | slow_files(family) | configuration,
    }
    return copy.deepcopy(files[form])


# ------------------------------------------------------------------------------------------------------------- weights


def model_config(family: str) -> dict[str, object]:
    common = {"model_type": family, "vocab_size": tokenizer_size(family) + SPARE_ROWS, "initializer_range": 0.4}
    if family == "distilbert":
        return common | {
            "dim": HIDDEN, "n_layers": LAYERS, "n_heads": HEADS, "hidden_dim": WIDE, "activation": "gelu",
            "max_position_embeddings": POSITIONS, "pad_token_id": 0, "sinusoidal_pos_embds": False, "dropout": 0.1,
            "attention_dropout": 0.1, "qa_dropout": 0.1, "seq_classif_dropout": 0.2,
        }
    config = common | {
        "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": WIDE,
        "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
    }
    if is_bert_like(family):
        config |= {"max_position_embeddings": POSITIONS, "layer_norm_eps": 1e-12, "pad_token_id": 0,
                   "type_vocab_size": 2}
    else:
        config |= {"max_position_embeddings": POSITIONS + 2, "layer_norm_eps": 1e-5, "pad_token_id": 1,
                   "bos_token_id": 0, "eos_token_id": 2}
        config |= {} if family == "mpnet" else {"type_vocab_size": 1}
    if family == "camembert":
        config |= {"bos_token_id": 5, "eos_token_id": 6}
    if family == "electra":
        config |= {"embedding_size": 16, "summary_activation": "gelu", "summary_last_dropout": 0.1,
                   "summary_type": "first", "summary_use_proj": True}
    if family == "mpnet":
        config |= {"relative_attention_num_buckets": 32}
    if family in ("bert", "electra", "roberta", "xlm-roberta", "camembert"):
        config |= {"position_embedding_type": "absolute", "use_cache": True}
    return config


def architecture(family: str, is_cross: bool) -> str:
    config = transformers.AutoConfig.for_model(**model_config(family))
    mapping = "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING" if is_cross else "MODEL_MAPPING"
    return getattr(transformers, mapping)[type(config)].__name__


@functools.cache
def tensors_of(family: str, labels: int) -> dict[str, torch.Tensor]:
    """Random ones that half precision holds exactly. `labels` 0: without a head."""
    config = transformers.AutoConfig.for_model(**model_config(family), num_labels=labels or 1)
    torch.manual_seed(20240229 + FAMILIES.index(family) + 100 * labels)
    maker = transformers.AutoModelForSequenceClassification if labels else transformers.AutoModel
    tensors = maker.from_config(config).state_dict()
    for name, tensor in tensors.items():
        if name.endswith(("LayerNorm.weight", "layer_norm.weight")):
            tensor.add_(0.2 * torch.randn_like(tensor))
        elif name.endswith("bias") and tensor.is_floating_point():
            tensor.copy_(0.3 * torch.randn_like(tensor))
        elif name.endswith("relative_attention_bias.weight"):
            tensor.copy_(torch.randn_like(tensor))
        elif name.endswith(("classifier.weight", "out_proj.weight")):
            tensor.mul_(0.5)
    return {name: tensor.half().float().contiguous() for name, tensor in tensors.items()
            if tensor.is_floating_point()}


class Weights:
    """Weight files in every form, made when they are first asked for."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    def files(self, family: str, labels: int, form: str) -> dict[str, object]:
        """{name in the model folder: Path or JSON}."""
        place = self.folder / f"{family}-{labels}-{form}"
        if not place.exists():
            place.mkdir()
            self.write(place, tensors_of(family, labels), family, form)
        return {file.name: json.loads(file.read_bytes()) if file.suffix == ".json" else file
                for file in sorted(place.iterdir())}

    def module_files(self, kind: str, form: str) -> dict[str, pathlib.Path]:
        """Those of a Dense from HIDDEN to 8, or of a LayerNorm; other modules have none."""
        if kind not in ("Dense", "LayerNorm") or form == "no weights":
            return {}
        place = self.folder / f"{kind}-{form}"
        if not place.exists():
            place.mkdir()
            torch.manual_seed(7)
            shapes = {"linear.weight": (8, HIDDEN), "linear.bias": (8,), "residual.weight": (8, HIDDEN)}
            if kind == "LayerNorm":
                shapes = {"norm.weight": (HIDDEN,), "norm.bias": (HIDDEN,)}
            tensors = {name: (0.3 * torch.randn(shape)).half().float() for name, shape in shapes.items()}
            if form != "residual":
                tensors.pop("residual.weight", None)
            if form == "no bias":
                tensors.pop("linear.bias")
            if form == "extra":
                tensors["something.weight"] = torch.ones(2)
            if form == "bin":
                torch.save(tensors, place / "pytorch_model.bin")
            else:
                safetensors.torch.save_file(tensors, place / "model.safetensors", {"format": "pt"})
        return {file.name: file for file in sorted(place.iterdir())}

    def write(self, place: pathlib.Path, tensors: dict[str, torch.Tensor], family: str, form: str) -> None:
        if form == "prefixed":
            prefix = {"camembert": "roberta", "xlm-roberta": "roberta"}.get(family, family) + "."
            is_whole = any(name.startswith(prefix) for name in tensors)
            names = {name: name.removeprefix(prefix) if is_whole else prefix + name for name in tensors}
            tensors = {names[name]: tensor for name, tensor in tensors.items()}
        elif form == "module.":
            tensors = {f"module.{name}": tensor for name, tensor in tensors.items()}
        elif form == "gamma":
            tensors = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"):
                       tensor for name, tensor in tensors.items()}
        elif form == "half":
            tensors = {name: tensor.half() for name, tensor in tensors.items()}
        elif form == "bfloat16":
            tensors = {name: tensor.bfloat16() for name, tensor in tensors.items()}
        elif form == "position_ids":
            name = next(name for name in tensors if name.endswith("word_embeddings.weight"))
            buffer = name.replace("word_embeddings.weight", "position_ids")
            tensors = tensors | {buffer: torch.arange(POSITIONS).expand((1, -1)).contiguous()}
        elif form == "two files":
            torch.save({name: tensor + 1 for name, tensor in tensors.items()}, place / "pytorch_model.bin")
        elif form == "extra tensor":
            tensors = tensors | {"cls.predictions.bias": torch.zeros(HIDDEN)}
        elif form == "missing tensor":
            tensors = {name: tensor for name, tensor in tensors.items() if "layer.1.output.dense.bias" not in name
                       and "layer.1.ffn.lin2.bias" not in name}
        if form in ("bin", "sharded bin"):
            suffix, save = "bin", torch.save
        else:
            suffix, save = "safetensors", functools.partial(safetensors.torch.save_file, metadata={"format": "pt"})
        stem = "pytorch_model" if suffix == "bin" else "model"
        if not form.startswith("sharded"):
            save(tensors, place / f"{stem}.{suffix}")
            return
        weight_map = {}
        for number, part in enumerate((sorted(tensors)[::2], sorted(tensors)[1::2]), 1):
            file = f"{stem}-0000{number}-of-00002.{suffix}"
            save({name: tensors[name] for name in part}, place / file)
            weight_map |= dict.fromkeys(part, file)
        total = sum(4 * tensor.numel() for tensor in tensors.values())
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        (place / f"{stem}.{suffix}.index.json").write_bytes(dumps(index))


# ------------------------------------------------------------------------------------------------------------- folders

OLDEST_PATH = "0_Transformer"
OLD_PATH = "sentence_transformers.models."
NEW_PATH = "sentence_transformers.sentence_transformer.modules."
BASE_PATH = "sentence_transformers.base.modules."
OLD_MODES = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")
PROMPTS = {"query": "query: ", "document": "passage: The "}
NEW_CLASS = {
    "Transformer": BASE_PATH + "transformer.Transformer",
    "Pooling": NEW_PATH + "pooling.Pooling",
    "Dense": BASE_PATH + "dense.Dense",
    "Normalize": BASE_PATH + "normalize.Normalize",
    "LayerNorm": NEW_PATH + "layer_norm.LayerNorm",
    "Dropout": NEW_PATH + "dropout.Dropout",
}


def module(index: int, name: str, path: str, *, is_new: bool = False) -> dict[str, object]:
    return {"idx": index, "name": str(index), "path": path, "type": NEW_CLASS[name] if is_new else OLD_PATH + name}


def sentence_name(family: str) -> str:
    """What the first versions of sentence-transformers called a family's file."""
    kind = family if family in ("roberta", "distilbert", "camembert", "xlm-roberta") else "bert"
    return f"sentence_{kind}_config.json"


def old_sentence_files(family: str) -> dict[str, object]:
    versions = {"sentence_transformers": "2.2.2", "transformers": "4.30.0", "pytorch": "2.0.0"}
    return {
        "modules.json": [module(0, "Transformer", ""), module(1, "Pooling", "1_Pooling")],
        "1_Pooling/config.json": {"word_embedding_dimension": HIDDEN, "include_prompt": True}
        | {f"pooling_mode_{mode}": mode == "mean_tokens" for mode in OLD_MODES},
        sentence_name(family): {"max_seq_length": SENTENCE_LENGTH, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "__version__": versions, "prompts": PROMPTS, "default_prompt_name": None, "similarity_fn_name": "cosine",
        },
    }  # fmt: skip


def new_sentence_files(family: str) -> dict[str, object]:
    versions = {"sentence_transformers": "5.4.0", "transformers": "5.0.0", "pytorch": "2.9.0"}
    output = {"method": "forward", "method_output_name": "last_hidden_state"}
    return {
        "modules.json": [
            module(0, "Transformer", "", is_new=True), module(1, "Pooling", "1_Pooling", is_new=True),
            module(2, "Normalize", "2_Normalize", is_new=True),
        ],
        "1_Pooling/config.json": {"embedding_dimension": HIDDEN, "pooling_mode": "cls", "include_prompt": True},
        "2_Normalize/config.json": {"module_input_name": "sentence_embedding",
                                    "module_output_name": "sentence_embedding"},
        "sentence_bert_config.json": {
            "transformer_task": "feature-extraction", "modality_config": {"text": output},
            "module_output_name": "token_embeddings",
        },
        "config_sentence_transformers.json": {
            "__version__": versions, "model_type": "SentenceTransformer", "prompts": PROMPTS,
            "default_prompt_name": None, "similarity_fn_name": "cosine",
        },
    }  # fmt: skip


def cross_module_files(family: str) -> dict[str, object]:
    versions = {"sentence_transformers": "6.0.0", "transformers": "5.0.0", "pytorch": "2.9.0"}
    return {
        "modules.json": [module(0, "Transformer", "", is_new=True)],
        "sentence_bert_config.json": {
            "transformer_task": "sequence-classification",
            "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}},
            "module_output_name": "scores",
        },
        "config_sentence_transformers.json": {
            "__version__": versions, "model_type": "CrossEncoder", "prompts": {}, "default_prompt_name": None,
            "activation_fn": IDENTITY,
        },
    }  # fmt: skip


def base_folder(family: str, role: str, form: str, weights: Weights) -> dict[str, object]:
    is_cross = role in CROSS_ROLES
    config = {"architectures": [architecture(family, is_cross)]} | model_config(family)
    if is_cross:
        config |= {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}
    if role == "cross-config":
        config |= {"sentence_transformers": {"activation_fn": IDENTITY, "version": "4.1.0"}}
    old = old_sentence_files
    sentence = {"bi-old": old, "bi-oldest": old, "bi-new": new_sentence_files, "cross-modules": cross_module_files}
    files = {"config.json": config} | tokenizer_files(family, form)
    files |= copy.deepcopy(sentence[role](family)) if role in sentence else {}
    if role == "bi-oldest":
        files["modules.json"][0]["path"] = OLDEST_PATH
        del files["config_sentence_transformers.json"]
    return files | weights.files(family, int(is_cross), "safetensors")


def placed(files: dict[str, object], role: str) -> dict[str, object]:
    """Where each file goes."""
    if role != "bi-oldest":
        return files
    above = ("modules.json", "config_sentence_transformers.json")
    return {name if "/" in name or name in above else f"{OLDEST_PATH}/{name}": file for name, file in files.items()}


def write_folder(files: dict[str, object], folder: pathlib.Path) -> None:
    """Weights are linked."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pathlib.Path):
            path.hardlink_to(content)
        else:
            path.write_bytes(bytes_of(name, content))
