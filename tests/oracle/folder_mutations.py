"""What folder_parity.py changes in a model folder: for every file, the keys that it may hold and values for each."""

import copy
import dataclasses
import json

from folder_bases import (
    CLASSES,
    EXTRA,
    FAMILIES,
    HIDDEN,
    IDENTITY,
    NEW_CLASS,
    OLD_MODES,
    OLD_PATH,
    POSITIONS,
    SPARE_ROWS,
    is_bert_like,
    module,
    sentence_name,
    specials_of,
    tokenizer_size,
)
from folder_changes import ABSENT, change_file, set_at
from folder_raw_changes import JSONS, PROTO, TEXTS, change_raw

LABELS = {"0": "no", "1": "maybe", "2": "yes"}


@dataclasses.dataclass(frozen=True)
class Mutation:
    """`value` at `path` in the JSON file `file`; an empty path is the whole file. What a harmless one changes has no
    effect, so that refusing it is a failure. `only` names the families and roles that it is tried on; none: all."""

    file: str
    path: tuple
    value: object
    harmless: bool = False
    only: tuple = ()

    def __hash__(self):
        return hash(self.name())

    def key(self) -> str:
        return ".".join(map(str, self.path)) or "(file)"

    def value_text(self) -> str:
        text = "absent" if self.value == ABSENT else json.dumps(self.value, ensure_ascii=False)
        return text if len(text) <= 160 else text[:157] + "..."

    def name(self) -> str:
        return f"{self.file}: {self.key()} = {self.value_text()}"

    def fits(self, family: str, role: str) -> bool:
        return not self.only or any(word in (family, role, role.split("-")[0]) for word in self.only)


def apply(files: dict[str, object], mutation: Mutation, weights_of) -> bool:
    """Changes `files`; false where that leaves them as they are."""
    if mutation.file == "chain":
        return append_module(files, *mutation.path, mutation.value, weights_of)
    if mutation.file == "weights":
        if mutation.value[1] == 3:
            files["config.json"] |= {"id2label": LABELS, "label2id": {name: int(key) for key, name in LABELS.items()}}
        return replace_weights(files, weights_of(*mutation.value))
    if mutation.path[:1] == ("(raw)",):
        return change_raw(files, mutation.file, mutation.path[1], mutation.value)
    return change_file(files, mutation.file, mutation.path, mutation.value)


def replace_weights(files: dict[str, object], others: dict[str, object]) -> bool:
    for name in [name for name in files if "/" not in name and name.startswith(("model", "pytorch_model"))
                 and name != "modules.json"]:
        del files[name]
    files.update(copy.deepcopy(others))
    return True


MODULE_CONFIGS = {
    "Dense": {"in_features": HIDDEN, "out_features": 8, "bias": True,
              "activation_function": "torch.nn.modules.activation.Tanh"},
    "LayerNorm": {"dimension": HIDDEN},
    "Normalize": {},
    "Dropout": {"dropout": 0.2},
}  # fmt: skip


def append_module(files: dict[str, object], kind: str, key: str, value, weights_of) -> bool:
    """Puts a module behind the others, with `value` at `key` of its configuration."""
    modules = files.get("modules.json")
    if not isinstance(modules, list):
        return False
    is_new = any("base.modules" in str(entry) for entry in modules)
    path = f"{len(modules)}_{kind}"
    modules.append(module(len(modules), kind, path, is_new=is_new))
    config, form = dict(MODULE_CONFIGS[kind]), "safetensors"
    if key == "(form)":
        form = value
        config |= {"use_residual": True} if form == "residual" else {}
    elif key == "(config)":
        config = value
    else:
        set_at(config, (key,), value)
        form = "residual" if config.get("use_residual") is True else form
        form = "no bias" if config.get("bias") is False else form
    if config != ABSENT:
        files[f"{path}/config.json"] = copy.deepcopy(config)
    files.update({f"{path}/{name}": file for name, file in weights_of(kind, form).items()})
    return True


# -------------------------------------------------------------------------------------------------------------- tables


def each(file: str, table: dict, **more) -> list[Mutation]:
    """`table`: {key or path: values}."""
    return [Mutation(file, key if isinstance(key, tuple) else (key,), value, **more)
            for key, values in table.items() for value in values]


def added(content: str, **flags) -> dict[str, object]:
    plain = {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    return plain | flags


UNKNOWN = {"some_key_of_tomorrow": [1, "text", None, {"a": [1]}]}
FLAGS = [ABSENT, None, True, False]
TOKENIZER_CLASSES = (
    *CLASSES.values(), *(f"{name}Fast" for name in CLASSES.values()), "PreTrainedTokenizerFast", "PreTrainedTokenizer",
    "TokenizersBackend", "PythonBackend", "BertJapaneseTokenizer", "HerbertTokenizer", "HerbertTokenizerFast",
    "BertweetTokenizer", "PhobertTokenizer", "AlbertTokenizer", "AlbertTokenizerFast", "DebertaV2Tokenizer",
    "DebertaTokenizer", "GPT2Tokenizer", "GPT2TokenizerFast", "BartTokenizer", "BarthezTokenizer", "LlamaTokenizerFast",
    "T5TokenizerFast", "LayoutLMTokenizer", "LayoutLMv3Tokenizer", "RetriBertTokenizer", "FunnelTokenizer",
    "SqueezeBertTokenizer", "RoFormerTokenizer", "MobileBertTokenizer", "LongformerTokenizer", "XLMTokenizer",
    "XLNetTokenizer", "BertGenerationTokenizer", "CanineTokenizer", "SplinterTokenizer", "NoSuchTokenizer",
    "NoSuchTokenizerFast", "", 5,
)  # fmt: skip


def token_values(family: str, role: str) -> list[object]:
    """For a key such as sep_token. In tokenizer_config.json, tokens with flags say __type."""
    specials = specials_of(family)
    own = specials.get(role, EXTRA)
    other = specials["cls" if role != "cls" else "sep"]
    ordinary = "the" if family not in ("xlm-roberta", "camembert") else "\u2581the"
    typed = {"__type": "AddedToken"}
    return [
        ABSENT, None, own, other, EXTRA, ordinary, "", 3, ["x"], added(own), added(own, lstrip=True, rstrip=True),
        {"content": EXTRA}, added(EXTRA, lstrip=True), added(EXTRA, lstrip=True) | typed, added(own) | typed,
        added(own, lstrip=True, rstrip=True) | typed, added(own, normalized=True, single_word=True) | typed,
        added(own) | typed | {"special": True}, added(own) | {"special": False}, added(ordinary, rstrip=True) | typed,
    ]  # fmt: skip


def token_keys(family: str) -> dict[str, list]:
    lists = [ABSENT, None, [], [EXTRA], ["the"], [added(EXTRA, rstrip=True)], [EXTRA, "[NEW]"], "text", {"a": EXTRA},
             [added(EXTRA, rstrip=True) | {"__type": "AddedToken"}], {"a": added(EXTRA) | {"__type": "AddedToken"}}]
    table = {f"{role}_token": token_values(family, role) for role in ("unk", "sep", "pad", "cls", "mask", "bos", "eos")}
    return table | {"additional_special_tokens": lists, "extra_special_tokens": lists,
                    "model_specific_special_tokens": [{"image_token": EXTRA}], "image_token": [EXTRA]}


def decoder_values(family: str) -> list:
    size = tokenizer_size(family)
    special = {"special": True}
    mask = specials_of(family)["mask"]
    return [
        ABSENT, None, {}, [], {str(size): added(EXTRA) | special}, {str(size): added(EXTRA, lstrip=True)},
        {str(size + 1): added(EXTRA) | special}, {"7": added(EXTRA) | special}, {"7": EXTRA}, {"x": added(EXTRA)},
        {str(size - 1): added("the") | special}, {"0": added("[NEW]") | special},
        {str(size): added("the", single_word=True)}, {str(size): added("The", normalized=True)},
        {str(size): added(mask, lstrip=True, rstrip=True) | special}, {str(size): {"content": EXTRA}},
    ]  # fmt: skip


def tokenizer_config(family: str) -> list[Mutation]:
    table = token_keys(family) | {
        "tokenizer_class": [ABSENT, None, *TOKENIZER_CLASSES],
        "do_lower_case": [*FLAGS, "true", 0, 1],
        "strip_accents": FLAGS,
        "tokenize_chinese_chars": FLAGS,
        "split_special_tokens": FLAGS,
        "add_prefix_space": FLAGS,
        "trim_offsets": FLAGS,
        "add_bos_token": FLAGS,
        "add_eos_token": FLAGS,
        "truncation_side": [ABSENT, None, "left", "right", "middle"],
        "padding_side": [ABSENT, None, "left", "right", "middle"],
        "model_input_names": [
            ABSENT, None, [], ["input_ids", "attention_mask"], ["input_ids", "token_type_ids", "attention_mask"],
            ["input_ids"], ["attention_mask", "input_ids", "token_type_ids"], ["input_ids", "something"], ["token_ids"],
        ],
        "model_max_length": [ABSENT, None, 1000000000000000019884624838656, 8, 20.0, 20.5, 0, 1, 2, -1, "12", 10000,
                             1e30, True, [8]],
        "max_len": [ABSENT, None, 8, "8", 10000],
        "model_max_len": [8],
        "max_length": [None, 8, 10000],
        "truncation": [True, False, "only_first", {"max_length": 8}],
        "truncation_strategy": ["only_first", "longest_first", "do_not_truncate"],
        "stride": [0, 3],
        "added_tokens_decoder": decoder_values(family),
        "vocab": [{"a": 0}, "vocab.txt"],
        "merges": [[], "merges.txt"],
        "unk_id": [0, 3, 5],
        "post_processor": [{"type": "BertProcessing"}],
        "fast_tokenizer_files": [["tokenizer.json"], ["tokenizer.4.0.0.json"], ["tokenizer.99.0.0.json"]],
        "auto_map": [{"AutoTokenizer": ["tokenization_x.XTokenizer", None]}, ["a.B", None], {}, None],
        "wordpieces_prefix": ["##", "@@"],
        "never_split": [["the"], None],
        "legacy": [True, False, None],
        "sp_model_kwargs": [{}, {"enable_sampling": True}],
        "_commit_hash": ["0123"],
    }
    harmless = UNKNOWN | {
        "clean_up_tokenization_spaces": [*FLAGS, "x"],
        "do_basic_tokenize": FLAGS,
        "clean_text": [True],
        "errors": ["replace", "strict", None],
        "processor_class": ["XProcessor", None],
        "chat_template": ["{{ messages }}", None],
        "name_or_path": ["bert-base-uncased", "/somewhere/else", None],
        "special_tokens_map_file": ["/somewhere/special_tokens_map.json", None],
        "tokenizer_file": [None, "/somewhere/tokenizer.json"],
        "vocab_file": [None, "/somewhere/vocab.txt"],
        "merges_file": [None],
        "use_fast": [True, False],
        "from_slow": [True, False],
        "is_local": [True],
        "local_files_only": [True],
        "backend": ["tokenizers"],
        "pad_to_multiple_of": [None, 8],
        "pad_token_type_id": [0, 1],
        "return_tensors": ["pt"],
        "additional_special_tokens_ids": [[]],
        "tokenizer_version": ["1.0"],
        "init_inputs": [[]],
    }
    file = "tokenizer_config.json"
    whole = [Mutation(file, (), value) for value in (ABSENT, {}, [], None, {"model_max_length": 8})]
    return each(file, table) + each(file, harmless, harmless=True) + whole


def other_token_files(family: str) -> list[Mutation]:
    size = tokenizer_size(family)
    file = "special_tokens_map.json"
    result = each(file, token_keys(family)) + each(file, UNKNOWN | {"do_lower_case": [False]})
    result += [Mutation(file, (), value) for value in (ABSENT, {}, [], None)]
    tokens = [{}, {EXTRA: size}, {EXTRA: 5}, {"the": size}, {EXTRA: size, "[NEW]": size + 1}, {EXTRA: size + 3}, [],
              {EXTRA: "x"}, {specials_of(family)["mask"]: size - 1}, None]
    result += [Mutation("added_tokens.json", (), value) for value in tokens]
    names = ("tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model")
    result += [Mutation(name, (), ABSENT) for name in names]
    result += [
        Mutation("preprocessor_config.json", (), {"image_processor_type": "ViTImageProcessor"}),
        Mutation("preprocessor_config.json", (), {}),
        Mutation("processor_config.json", (), {"processor_class": "XProcessor"}),
        Mutation("chat_template.jinja", (), "{{ messages }}"),
        Mutation("chat_template.json", (), {"chat_template": "{{ messages }}"}),
        Mutation("generation_config.json", (), {"max_length": 3}, True),
        Mutation("README.md", (), "# x", True),
        Mutation("tokenizer.4.0.0.json", (), {"version": "1.0"}),
        Mutation("tekken.json", (), {"a": 1}),
        Mutation("vocab.json", (), {"a": 0}),
        Mutation("spiece.model", (), "nothing"),
        Mutation("adapter_config.json", (), {"peft_type": "LORA", "base_model_name_or_path": "x", "r": 4}),
        Mutation("adapter_config.json", (), {"model_type": "bert", "config": {"architecture": "pfeiffer"}}),
        Mutation("onnx/model.onnx", (), "nothing", True),
        Mutation("training_args.bin", (), "nothing", True),
    ]  # fmt: skip
    return result


def raw_changes() -> list[Mutation]:
    files = {name: TEXTS for name in ("vocab.txt", "merges.txt")}
    files |= {name: JSONS for name in ("vocab.json", "config.json", "tokenizer_config.json", "tokenizer.json",
                                       "special_tokens_map.json", "modules.json", "1_Pooling/config.json",
                                       "config_sentence_transformers.json", "sentence_bert_config.json")}
    result = [Mutation(name, ("(raw)", "text"), how) for name, ways in files.items() for how in ways]
    return result + [Mutation("sentencepiece.bpe.model", ("(raw)", path), value)
                     for path, values in PROTO.items() for value in values]


def bert_normalizer(**flags) -> dict:
    plain = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None}
    return plain | {"lowercase": True} | flags


def sequence(key: str, *parts) -> dict:
    return {"type": "Sequence", key: list(parts)}


NORMALIZERS = [
    ABSENT, None, {"type": "Lowercase"}, {"type": "NFC"}, {"type": "NFKC"}, {"type": "NFD"}, {"type": "StripAccents"},
    {"type": "Nope"}, {}, bert_normalizer(), bert_normalizer(lowercase=False), bert_normalizer(strip_accents=True),
    bert_normalizer(lowercase=False, strip_accents=True), bert_normalizer(strip_accents=False),
    bert_normalizer(handle_chinese_chars=False), bert_normalizer(clean_text=False), bert_normalizer(other=1),
    {"type": "BertNormalizer"}, sequence("normalizers"),
    sequence("normalizers", {"type": "NFD"}, {"type": "Lowercase"}),
    sequence("normalizers", {"type": "NFKC"}, bert_normalizer()),
    sequence("normalizers", {"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}),
    {"type": "Strip", "strip_left": True, "strip_right": True}, {"type": "Prepend", "prepend": "the "},
    {"type": "Replace", "pattern": {"String": "cat"}, "content": "boat"},
    {"type": "Replace", "pattern": {"Regex": "[a-c]at"}, "content": "boat"},
]  # fmt: skip
PRE_TOKENIZERS = [
    ABSENT, None, {"type": "BertPreTokenizer"}, {"type": "Whitespace"}, {"type": "WhitespaceSplit"},
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True},
    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
    {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
    {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True},
    {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "never", "split": True},
    {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True},
    {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": False},
    {"type": "Punctuation", "behavior": "Isolated"}, {"type": "Punctuation"},
    {"type": "Digits", "individual_digits": True},
    sequence("pretokenizers", {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Removed"}),
    {"type": "UnicodeScripts"}, {"type": "Nope"}, sequence("pretokenizers"),
    {"type": "Split", "pattern": {"String": "t"}, "behavior": "Isolated", "invert": False},
]  # fmt: skip


def post_processors(family: str) -> list:
    file_ids = {"[CLS]": 2, "[SEP]": 3} if is_bert_like(family) else {"<s>": 0, "</s>": 2}
    (cls, cls_id), (sep, sep_id) = file_ids.items()
    special = {name: {"id": name, "ids": [index], "tokens": [name]} for name, index in file_ids.items()}

    def part(name: str, kind: int = 0) -> dict:
        key = "Sequence" if name in "AB" else "SpecialToken"
        return {key: {"id": name, "type_id": kind}}

    def template(single: list, pair: list, tokens: dict = special) -> dict:
        return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens}

    ordinary = [part(cls), part("A"), part(sep)]
    wrong_ids = {name: entry | {"ids": [5]} for name, entry in special.items()}
    return [
        ABSENT, None, {"type": "Nope"}, {"type": "BertProcessing", "sep": [sep, sep_id], "cls": [cls, cls_id]},
        {"type": "BertProcessing", "sep": [sep, cls_id], "cls": [cls, sep_id]},
        {"type": "RobertaProcessing", "sep": [sep, sep_id], "cls": [cls, cls_id], "trim_offsets": True,
         "add_prefix_space": True},
        {"type": "RobertaProcessing", "sep": [sep, sep_id], "cls": [cls, cls_id], "trim_offsets": False,
         "add_prefix_space": False},
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        template(ordinary, [*ordinary, part("B", 1), part(sep, 1)]),
        template([part("A"), part(sep)], [part("A"), part(sep), part("B"), part(sep)]),
        template([part(cls), part("A")], [part(cls), part("A"), part(sep), part("B")]),
        template([part(cls, 1), part("A", 1), part(sep, 1)], [*ordinary, part("B", 1), part(sep, 1)]),
        template(ordinary, [*ordinary, part(sep), part("B"), part(sep)], wrong_ids),
        template([part("A")], [part("A"), part("B")], {}), template([part("A")], [part("A"), part("B", 1)], {}),
        template(ordinary, [part("B"), part("A", 1)]), template(ordinary, []), template([], [part("A"), part("B")]),
        sequence("processors", template(ordinary, [*ordinary, part("B", 1), part(sep, 1)])), sequence("processors"),
    ]  # fmt: skip


def tokenizer_json(family: str) -> list[Mutation]:
    size = tokenizer_size(family)
    truncation = {"direction": "Right", "max_length": 10, "strategy": "LongestFirst", "stride": 0}
    padding = {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
               "pad_type_id": 0, "pad_token": "[PAD]"}
    token = added(EXTRA) | {"special": True, "id": size}
    table = {
        "truncation": [
            ABSENT, None, truncation, truncation | {"direction": "Left"}, truncation | {"stride": 3},
            truncation | {"strategy": "OnlyFirst"}, truncation | {"strategy": "OnlySecond"},
            truncation | {"max_length": 0}, truncation | {"max_length": 10000}, truncation | {"strategy": "Nope"},
        ],
        "padding": [
            ABSENT, None, padding, padding | {"strategy": {"Fixed": 60}}, padding | {"direction": "Left"},
            padding | {"pad_to_multiple_of": 8}, padding | {"strategy": {"Fixed": 20}, "direction": "Left"},
            padding | {"pad_id": 5}, padding | {"pad_type_id": 1}, padding | {"pad_token": "the"},
        ],
        "normalizer": NORMALIZERS,
        "pre_tokenizer": PRE_TOKENIZERS,
        "post_processor": post_processors(family),
        "added_tokens": [ABSENT, None, [], [token], [token | {"id": 5}],
                         [token | {"content": "the", "normalized": True}]],
        ("added_tokens", 0, "content"): [EXTRA],
        ("added_tokens", 0, "id"): [5, size],
        ("added_tokens", 99): [token],
        ("added_tokens", 1): [ABSENT, token | {"special": False}],
        ("added_tokens", 3): [ABSENT],
        ("added_tokens", 4): [ABSENT],
        ("model", "unk_token"): [ABSENT, None, "the", EXTRA, 5],
        ("model", "unk_id"): [ABSENT, None, 0, 5, 100000],
        ("model", "max_input_chars_per_word"): [ABSENT, 4, 0, 1000, "x", None],
        ("model", "continuing_subword_prefix"): [ABSENT, None, "", "@@", "#"],
        ("model", "end_of_word_suffix"): [ABSENT, None, "", "</w>"],
        ("model", "dropout"): [ABSENT, 0.0, 0.5],
        ("model", "fuse_unk"): [ABSENT, True, False],
        ("model", "byte_fallback"): [ABSENT, True, False],
        ("model", "ignore_merges"): [ABSENT, True, False],
        ("model", "type"): [ABSENT, None, "WordPiece", "BPE", "Unigram", "WordLevel", "Nope"],
        ("model", "vocab", "the"): [ABSENT, 5, 100000],
        ("model", "vocab", EXTRA): [size],
        ("model", "vocab"): [{}, [], None],
        ("model", "merges"): [ABSENT, [], [["t", "h"]], ["t h"]],
        ("model", "some_key"): [1],
        "version": [ABSENT, "2.0", None, 1],
        "model": [ABSENT, None],
    }
    for index in range(5):
        for flag in ("lstrip", "rstrip", "single_word", "normalized", "special"):
            table["added_tokens", index, flag] = [True, False]
    harmless = {"decoder": [ABSENT, None, {"type": "WordPiece", "prefix": "##", "cleanup": True}]}
    file = "tokenizer.json"
    whole = [Mutation(file, (), value) for value in ({}, None)]
    unread = each(file, harmless, harmless=True) + each(file, UNKNOWN | {"decoder": [{"type": "N"}]})
    return each(file, table) + unread + whole


def config_json(family: str) -> list[Mutation]:
    sizes = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "embedding_size",
             "dim", "n_layers", "n_heads", "hidden_dim", "d_model", "n_layer", "n_head", "n_embd", "head_dim")
    numbers = {"hidden_size": HIDDEN, "dim": HIDDEN, "num_hidden_layers": 2, "n_layers": 2, "n_layer": 2,
               "num_attention_heads": 4, "n_heads": 4, "n_head": 4}
    table = {name: [ABSENT, None, numbers.get(name, 64), 1, 2, 16, 0, "4", 4.0, -1] for name in sizes} | {
        "tokenizer_class": [ABSENT, None, *TOKENIZER_CLASSES],
        "model_type": [ABSENT, None, *FAMILIES, "albert", "deberta-v2", "modernbert", "xlm-roberta-xl", "nope", 5],
        "architectures": [
            ABSENT, None, [], ["BertModel"], ["BertForMaskedLM"], ["BertLMHeadModel"], ["RobertaForCausalLM"],
            ["BertForSequenceClassification"], ["RobertaForSequenceClassification"], ["NoSuchForCausalLM"],
            ["NoSuchModel"], "BertModel", ["ElectraForPreTraining"], ["BertForTokenClassification"],
        ],
        "is_decoder": FLAGS, "add_cross_attention": FLAGS, "is_causal": FLAGS, "is_encoder_decoder": FLAGS,
        "position_embedding_type": [ABSENT, None, "absolute", "relative_key", "relative_key_query", "rotary", "nope"],
        "type_vocab_size": [ABSENT, None, 0, 1, 2, 3, 16], "pad_token_id": [ABSENT, None, 0, 1, 2, 5, -1, 100000, "1"],
        "layer_norm_eps": [ABSENT, None, 1e-12, 1e-5, 0.1, 0, "1e-5", -1], "layer_norm_epsilon": [0.1],
        "hidden_act": [ABSENT, None, "gelu", "relu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "silu", "swish",
                       "tanh", "quick_gelu", "gelu_10", "gelu_python", "mish", "sigmoid", "linear", "gelu_accurate",
                       "nope", 5, ["ClippedGELUActivation", {"min": -1}]],
        "activation": [ABSENT, None, "gelu", "relu", "gelu_new", "nope"], "activation_function": ["relu"],
        "summary_activation": [ABSENT, None, "tanh", "relu", "nope"], "summary_type": [ABSENT, "mean", "last"],
        "summary_use_proj": FLAGS, "classifier_dropout": [None, 0.5], "sinusoidal_pos_embds": FLAGS,
        "relative_attention_num_buckets": [ABSENT, None, 32, 16, 64], "max_relative_position": [128],
        "pruned_heads": [{}, {"0": [1]}, {"1": [0, 2]}, None, []], "chunk_size_feed_forward": [0, 1, 3],
        "torch_dtype": [ABSENT, None, "float32", "float16", "bfloat16", "float64", "nope"],
        "dtype": ["float32", "float16", "bfloat16", "nope", None],
        "quantization_config": [None, {}, {"quant_method": "bitsandbytes", "load_in_8bit": True},
                                {"quant_method": "gptq", "bits": 4}, {"quant_method": "nope"}],
        "max_position_embeddings": [ABSENT, None, POSITIONS - 16, POSITIONS + 2, 512, 4, -1, "x"],
        "tie_word_embeddings": FLAGS,
        "vocab_size": [ABSENT, None, 100, 100000, tokenizer_size(family), tokenizer_size(family) + SPARE_ROWS, 0],
        "num_labels": [1, 2, 3, None, "1"], "_num_labels": [1, 3],
        "id2label": [ABSENT, None, {}, {"0": "a"}, LABELS, {"0": "no", "2": "yes"}, {"1": "yes"}, ["a"], {"a": "b"}],
        "label2id": [ABSENT, None, {}, {"a": 0}, {"no": 0, "maybe": 1, "yes": 2}],
        "problem_type": [None, "regression", "single_label_classification", "multi_label_classification", "nope"],
        "finetuning_task": ["text-classification"],
        "sentence_transformers": [None, {}, {"version": "4.0.0"}, {"activation_fn": None}, {"activation_fn": IDENTITY},
                                  {"activation_fn": "torch.nn.modules.activation.Sigmoid"},
                                  {"activation_fn": "torch.nn.modules.activation.Tanh"},
                                  {"activation_fn": "torch.nn.Sigmoid"}, {"activation_fn": "torch.sigmoid"},
                                  {"activation_fn": "my.Own"}, {"activation_fn": "torch.nn.NoSuch"},
                                  {"activation_fn": 5}, {"activation_fn": ""}, [], "x"],
        "sbert_ce_default_activation_function": [None, IDENTITY, "torch.nn.modules.activation.Sigmoid",
                                                 "torch.nn.modules.activation.ReLU", "my.Own", "torch.nn.NoSuch", ""],
        "rope_theta": [1.0], "rope_scaling": [{"type": "linear", "factor": 2}], "attention_bias": [False],
        "use_bidirectional_attention": [False, True],
        "bos_token_id": [ABSENT, None, 5], "eos_token_id": [ABSENT, None, 5],
        "cls_token_id": [5], "sep_token_id": [5], "adapters": [{}], "layer_types": [["full_attention"] * 2],
        "auto_map": [{"AutoModel": "modeling_x.XModel"}, {"AutoConfig": "x.XConfig", "AutoModel": "x.XModel"}, {},
                     None],
        "use_return_dict": [False], "return_dict": [False], "output_hidden_states": [True, False],
        "output_attentions": [True, False], "torchscript": [True], "use_pooler": [False], "add_pooling_layer": [False],
        "attn_implementation": ["eager"], "_attn_implementation": ["eager", "flash_attention_2"],
        "scale_attn_weights": [False], "embedding_dropout": [0.1], "tokenizer_name": ["x"], "max_length": [8],
    }  # fmt: skip
    harmless = UNKNOWN | {
        "hidden_dropout_prob": [ABSENT, 0.0, 0.9], "attention_probs_dropout_prob": [ABSENT, 0.0],
        "initializer_range": [ABSENT, 0.02], "use_cache": [*FLAGS], "gradient_checkpointing": [True, False],
        "transformers_version": [ABSENT, "4.30.0", "99.0.0"], "_name_or_path": ["bert-base-uncased", "/somewhere", ""],
        "directionality": ["bidi"], "pooler_fc_size": [768], "pooler_num_attention_heads": [12],
        "pooler_num_fc_layers": [3], "pooler_size_per_head": [128], "pooler_type": ["first_token_transform"],
        "output_past": [True], "model_max_length": [8], "max_seq_length": [8], "do_lower_case": [False],
        "num_return_sequences": [1], "task_specific_params": [None], "prefix": ["x"], "dropout": [0.3],
        "qa_dropout": [0.2], "seq_classif_dropout": [0.3], "attention_dropout": [0.3], "bad_words_ids": [None],
        "temperature": [1.0], "length_penalty": [1.0],
    }
    file = "config.json"
    result = each(file, table) + each(file, harmless, harmless=True)
    result += [Mutation(file, (), value) for value in (ABSENT, {}, [], None)]
    forms = ("bin", "sharded bin", "sharded safetensors", "module.", "gamma", "half", "bfloat16", "prefixed",
             "position_ids", "two files", "extra tensor", "missing tensor")
    for labels_count, roles in ((0, "bi"), (1, "cross")):
        for form in forms:
            is_fine = form not in ("module.", "missing tensor")
            result.append(Mutation("weights", ("form",), [family, labels_count, form], is_fine, only=(roles,)))
    return [*result, Mutation("weights", ("form",), [family, 1, "safetensors"], only=("bi",)),
            Mutation("weights", ("form",), [family, 0, "safetensors"], only=("cross",)),
            Mutation("weights", ("form",), [family, 3, "safetensors"], only=("cross",))]


# ------------------------------------------------------------------------------------------- sentence-transformers' own

SENTENCE_NAMES = tuple(f"sentence_{kind}_config.json" for kind in (
    "bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"))  # fmt: skip
ACTIVATIONS = [
    ABSENT, None, IDENTITY, "torch.nn.modules.activation.Tanh", "torch.nn.modules.activation.ReLU",
    "torch.nn.modules.activation.GELU", "torch.nn.modules.activation.Sigmoid", "torch.nn.modules.activation.SiLU",
    "torch.nn.Tanh", "torch.nn.GELU", "torch.nn.modules.activation.LeakyReLU", "torch.nn.modules.activation.ELU",
    "torch.nn.modules.activation.Mish", "torch.nn.functional.relu", "torch.tanh", "torch.nn.Linear", "torch.nn.NoSuch",
    "transformers.activations.GELUActivation", "my.own.Activation", "nn.ReLU", "", 5,
]  # fmt: skip
LAST = {"method": "forward", "method_output_name": "last_hidden_state"}


def entry(index: int, path: str, class_path: str, **more) -> dict[str, object]:
    return {"idx": index, "name": str(index), "path": path, "type": class_path} | more


def modules_json() -> list[Mutation]:
    file = "modules.json"
    old, new = OLD_PATH, NEW_CLASS
    first, pool = entry(0, "", f"{old}Transformer"), entry(1, "1_Pooling", f"{old}Pooling")
    norm = entry(2, "2_Normalize", f"{old}Normalize")
    lists = [
        ABSENT, [], {}, None, [first], [pool], [pool, first], [first, pool], [first, pool, norm], [first, norm, pool],
        [norm, first, pool], [first, pool, norm, norm | {"name": "3"}], [first, pool, norm | {"name": "1"}],
        [first, pool, pool | {"name": "2"}], [first, first | {"name": "1"}, pool | {"name": "2"}],
        [pool | {"idx": 0}, first],
        [first | {"idx": 5}, pool | {"idx": 2}], [first, pool, entry(2, "", f"{old}Normalize")],
        [first, pool, entry(2, "2_Dropout", f"{old}Dropout")], [first, pool, entry(2, "2_Dropout", new["Dropout"])],
        [first, pool, entry(2, "2_Normalize", new["Normalize"])],
        [first, pool, entry(2, "2_Normalize", "sentence_transformers.base.modules.Normalize")],
        [first, pool, entry(2, "2_Normalize", "sentence_transformers.sentence_transformer.modules.Normalize")],
        [first, pool, entry(2, "2_X", f"{old}WeightedLayerPooling")], [first, pool, entry(2, "2_X", f"{old}NoSuch")],
        [first, pool, entry(2, "2_X", "my_module.Own")], [first, pool, entry(2, "2_X", "torch.nn.Identity")],
        [first, entry(1, "1_X", f"{old}WordWeights"), pool | {"name": "2"}], [entry(0, "", f"{old}StaticEmbedding")],
        [entry(0, "", f"{old}BoW")], [entry(0, "", f"{old}CLIPModel")], ["x"], [{"idx": 0}],
    ]  # fmt: skip
    result = [Mutation(file, (), value, only=("bi",)) for value in lists]
    transformers_of = [f"{old}Transformer", new["Transformer"], "sentence_transformers.base.modules.Transformer",
                       "sentence_transformers.sentence_transformer.modules.Transformer",
                       "sentence_transformers.models.Transformer.Transformer", "Transformer", "x.Transformer",
                       "sentence_transformers.base.modules.transformer", f"{old}Pooling", f"{old}MPNet", "", None,
                       ABSENT]
    pooling_of = [f"{old}Pooling", new["Pooling"], "sentence_transformers.models.Pooling.Pooling",
                  "sentence_transformers.sentence_transformer.modules.Pooling",
                  "sentence_transformers.base.modules.Pooling",
                  f"{old}Normalize", f"{old}Dense", "Pooling", ABSENT]
    table = {
        (0, "type"): transformers_of, (1, "type"): pooling_of,
        (0, "path"): ["", ".", "./", "0_Transformer", "..", "/", None, ABSENT, "1_Pooling"],
        (1, "path"): ["./1_Pooling", "1_Pooling/", "", ".", "1_Pool", "../1_Pooling", None, ABSENT, "a/../1_Pooling"],
        (0, "name"): ["transformer", "", None, ABSENT, 0, "1", "a.b"], (0, "idx"): [ABSENT, 7, None, "0"],
        (1, "name"): ["pooling", ABSENT], (1, "idx"): [ABSENT, 0],
        (0, "kwargs"): [[], ["task"], ["output_hidden_states"], None, {}, "x"], (1, "kwargs"): [["task"], []],
        (0, "some_key"): [1], (1, "some_key"): [1],
    }  # fmt: skip
    return result + each(file, table)


def pooling_config() -> list[Mutation]:
    names = ("cls", "mean", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
    table = {f"pooling_mode_{mode}": [ABSENT, None, True, False, 1, "true"] for mode in OLD_MODES} | {
        "pooling_mode": [ABSENT, None, *names, ["cls", "mean"], ["mean", "cls"], ["max"], [], ["mean", "mean"], "nope",
                         "", "Mean", 5, {"mean": True}],
        "include_prompt": [*FLAGS, 0, "false"],
        "word_embedding_dimension": [ABSENT, None, HIDDEN, 64, "32", 0, 32.0],
        "embedding_dimension": [ABSENT, None, HIDDEN, 64, "32", 0],
        "pooling_output_dimension": [HIDDEN], "hidden_size": [HIDDEN], "some_key": [1, None],
    }  # fmt: skip
    file = "1_Pooling/config.json"
    old = {"word_embedding_dimension": HIDDEN} | {f"pooling_mode_{mode}": False for mode in OLD_MODES}
    whole = [
        ABSENT, {}, [], None, old, old | {"pooling_mode_cls_token": True},
        old | {"pooling_mode_weightedmean_tokens": True},
        old | {"pooling_mode_max_tokens": True, "pooling_mode_lasttoken": True}, old | {"pooling_mode": "max"},
        {"embedding_dimension": HIDDEN}, {"embedding_dimension": HIDDEN, "pooling_mode": "lasttoken"},
        {"embedding_dimension": HIDDEN, "pooling_mode": "mean", "pooling_mode_cls_token": True},
        {"embedding_dimension": HIDDEN, "word_embedding_dimension": HIDDEN, "pooling_mode": "mean"},
    ]  # fmt: skip
    return each(file, table, only=("bi",)) + [Mutation(file, (), value, only=("bi",)) for value in whole]


def sentence_config(family: str) -> list[Mutation]:
    expansion = {"strategy": "fixed", "length": 20, "token": None, "attend": True}
    table = {
        "max_seq_length": [ABSENT, None, 8, 20, 1, 2, 0, -1, 10000, "8", 8.0, 8.5, True],
        "do_lower_case": [*FLAGS, 1, "false"],
        "transformer_task": [ABSENT, None, "feature-extraction", "sequence-classification", "fill-mask",
                             "text-generation", "retrieval", "any-to-any", "nope"],
        "processing_kwargs": [None, {}, {"text": {"max_length": 8}}, {"text": {"padding": "max_length"}},
                              {"text": {"truncation": False}}, {"text": {"truncation": "only_first"}},
                              {"text": {"add_special_tokens": False}}, {"text": {"return_token_type_ids": False}},
                              {"text": {"padding_side": "left"}}, {"common": {"max_length": 8}}, {"nope": {"a": 1}},
                              {"text": {}}, {"image": {"size": 3}}, {"chat_template": {"a": 1}},
                              {"text": {"split_special_tokens": True}}],
        "modality_config": [
            ABSENT, None, {}, {"text": LAST}, {"text": {"method": "forward", "method_output_name": "pooler_output"}},
            {"text": {"method": "forward", "method_output_name": "logits"}}, {"image": LAST},
            {"text": {"method": "forward"}},
            {"text": {"method": "forward", "method_output_name": ["hidden_states", 1]}},
            {"text": {"method": "forward", "method_output_name": None}}, {"text": LAST, "image": LAST},
            {"text": LAST, "message": LAST | {"format": "flat"}},
            {"text": {"method": "nope", "method_output_name": "x"}},
            {"text": LAST, "image+text": LAST}, {"text": LAST, "smell": LAST},
        ],
        "module_output_name": [ABSENT, None, "token_embeddings", "sentence_embedding", "scores", "x"],
        "model_kwargs": [None, {}, {"torch_dtype": "float32"}, {"attn_implementation": "eager"}, {"some_kwarg": 1},
                         {"add_pooling_layer": False}, {"trust_remote_code": True}, {"num_labels": 3},
                         {"hidden_act": "relu"}, {"subfolder": "x"}, {"is_decoder": True}],
        "model_args": [{}, {"torch_dtype": "float32"}, {"some_kwarg": 1}, {"hidden_act": "relu"}],
        "processor_kwargs": [None, {}, {"model_max_length": 8}, {"do_lower_case": False}, {"use_fast": False},
                             {"truncation_side": "left"}, {"some_kwarg": 1}, {"add_prefix_space": True},
                             {"padding_side": "left"}, {"split_special_tokens": True}, {"tokenizer_type": "roberta"},
                             {"strip_accents": False}, {"additional_special_tokens": [EXTRA]}, {"unk_token": EXTRA}],
        "tokenizer_args": [{}, {"model_max_length": 8}, {"do_lower_case": False}, {"use_fast": False}],
        "config_kwargs": [None, {}, {"hidden_act": "relu"}, {"num_labels": 3}, {"is_decoder": True}, {"some_kwarg": 1},
                          {"layer_norm_eps": 0.1}, {"max_position_embeddings": 20}, {"use_cache": True},
                          {"position_embedding_type": "relative_key"}],
        "config_args": [{}, {"hidden_act": "relu"}],
        "query_length": [None, 8, 0, "8"], "document_length": [None, 8],
        "query_expansion": [None, expansion, {"strategy": "min", "length": 20}, {}, {"strategy": "nope"},
                            {"length": 3}],
        "unpad_inputs": [None, False, True], "tokenizer_name_or_path": [None, "", "x", "."], "some_key": [1, None],
        "backend": ["torch"], "cache_dir": [None],
    }  # fmt: skip
    result = []
    for file in dict.fromkeys((sentence_name(family), "sentence_bert_config.json")):
        result += each(file, table, only=("bi", "cross-modules"))
    for file in SENTENCE_NAMES:
        whole = (ABSENT, {}, [], None, {"max_seq_length": 20, "do_lower_case": False}, {"max_seq_length": 8})
        result += [Mutation(file, (), value, only=("bi", "cross-modules")) for value in whole]
        result += each(file, {"max_seq_length": [8], "do_lower_case": [True]})
    return result


def sentence_transformers_config() -> list[Mutation]:
    activations = [ABSENT, None, IDENTITY, "torch.nn.modules.activation.Sigmoid", "torch.nn.modules.activation.Tanh",
                   "torch.nn.Sigmoid", "torch.sigmoid", "my.Own", "torch.nn.NoSuch", "", 5,
                   "torch.nn.modules.activation.Softmax", "torch.nn.modules.activation.ReLU"]
    table = {
        "prompts": [ABSENT, None, {}, [], {"query": ""}, {"query": None}, {"query": 5}, {"query": "q: "},
                    {"passage": "p: "}, {"corpus": "c: "}, {"document": "d: ", "passage": "p: "}, {"": "x "},
                    {"q": "  [SEP] <mask> "}, {"query": "the " * 40}, {"s2p": "x: "}, {"query": " \n"}],
        "default_prompt_name": [ABSENT, None, "query", "document", "nope", "", 5],
        "similarity_fn_name": [ABSENT, None, "cosine", "dot", "euclidean", "manhattan", "maxsim", "nope", 5],
        "truncate_dim": [ABSENT, None, 8, 0, 1, 32, 33, 1000, -1, "8", 8.0],
        "model_type": [ABSENT, None, "SentenceTransformer", "CrossEncoder", "SparseEncoder", "MultiVectorEncoder",
                       "nope", 5],
        "activation_fn": activations,
        "keep_in_fp32_modules": [None, [], ["0.model.classifier"], ["nope"], "x"],
        "__version__": [ABSENT, None, {}, {"sentence_transformers": "99.0.0"}, {"sentence_transformers": "x"}, "2.0.0",
                        {"sentence_transformers": "0.3.0"}, {"transformers": "1"}],
        "requirements": [None, {}, [], {"transformers": ">=99"}, ["transformers>=99"],
                         {"sentence_transformers": ">=1"}],
        "some_key": [1, None],
    }  # fmt: skip
    file = "config_sentence_transformers.json"
    whole = (ABSENT, {}, [], None, {"prompts": {"query": "q: "}, "default_prompt_name": "query"},
             {"model_type": "CrossEncoder"})
    return each(file, table) + [Mutation(file, (), value) for value in whole]


def third_modules() -> list[Mutation]:
    """Chains with one more module, whose configuration varies: the file "chain" stands for all of its files."""
    result = []
    dense = {
        "activation_function": ACTIVATIONS, "bias": [ABSENT, None, True, False], "in_features": [16, ABSENT, "32"],
        "out_features": [4, ABSENT], "use_residual": [*FLAGS], "module_input_name": ["token_embeddings", "x", None,
        "sentence_embedding"], "module_output_name": [None, "sentence_embedding", "x", "token_embeddings"],
        "some_key": [1], "init_weight": [None],
    }  # fmt: skip
    for key, values in dense.items():
        result += [Mutation("chain", ("Dense", key), value, only=("bi-old", "bi-new")) for value in values]
    other = {
        ("Dense", "(config)"): [MODULE_CONFIGS["Dense"], ABSENT, {}],
        ("Dense", "(form)"): ["bin", "residual", "no weights", "extra"],
        ("LayerNorm", "dimension"): [HIDDEN, 16, ABSENT], ("LayerNorm", "some_key"): [1],
        ("Normalize", "(config)"): [ABSENT, {}, None],
        ("Normalize", "module_input_name"): ["sentence_embedding", "token_embeddings", "x", None],
        ("Normalize", "module_output_name"): ["sentence_embedding", "x", None], ("Normalize", "some_key"): [1],
        ("Dropout", "dropout"): [0.5, ABSENT, 5], ("Dropout", "some_key"): [1],
    }
    return result + each("chain", other, only=("bi-old", "bi-new"))


def sentence_mutations(family: str) -> list[Mutation]:
    own = sentence_config(family) + sentence_transformers_config()
    return modules_json() + pooling_config() + own + third_modules()
