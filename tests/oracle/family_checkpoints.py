"""Writes tests/checkpoints: a small random checkpoint of every model family, and what sentence-transformers and
transformers answer with it in f32.

    python family_checkpoints.py

The checkpoints are made by transformers' own classes and lie there in every form that weights come in: safetensors,
pytorch_model.bin whole, in shards and in its older form, names as the first BERTs had them. The answers are computed
from the same files. A golden has the form of tests/goldens/tiny-bert/golden.json; see encoder_goldens.py.
"""

import copy
import json
import pathlib
import tempfile

import encoder_goldens as tiny
import safetensors.torch
import sentence_transformers.sentence_transformer.modules
import tokenizers
import torch
import transformers

CHECKPOINTS = pathlib.Path(__file__).resolve().parent.parent / "checkpoints"
HIDDEN = 32
LABELS = ["entailment", "neutral", "contradiction"]
TEXTS = [
    "The cat sat on the mat.",
    "",
    "one [PAD] two <pad> three, d'où 中",
    {"text": "they had one red boat and that was all ", "times": 4},
    # Longer than the largest distance that MPNet tells apart.
    {"text": "search the text of a passage at night ", "times": 40},
]
PAIRS = [
    ["what is it", "this is a fast model, not a slow one."],
    ["", ""],
    ["the night <pad>", {"text": "day and night and water ", "times": 4}],
    [{"text": "when was that ", "times": 40}, {"text": "it was for you ", "times": 40}],
]


def tokenizer_of(specials: list[str]) -> tokenizers.Tokenizer:
    """WordPiece over letters and a few words; `specials` in the order of their ids."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    vocabulary = [*specials, *".,?!:-'", *letters, *(f"##{c}" for c in letters)]
    vocabulary += [word for word in tiny.WORDS if len(word) > 1]
    ids = {token: index for index, token in enumerate(vocabulary)}
    is_fairseq = "<s>" in ids
    cls, sep, unk = ("<s>", "</s>", "<unk>") if is_fairseq else ("[CLS]", "[SEP]", "[UNK]")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(ids, unk_token=unk))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    pair = f"{cls} $A {sep} {sep} $B {sep}" if is_fairseq else f"{cls} $A {sep} $B:1 {sep}:1"
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"{cls} $A {sep}", pair=pair, special_tokens=[(cls, ids[cls]), (sep, ids[sep])]
    )
    tokenizer.decoder = tokenizers.decoders.WordPiece()
    tokenizer.add_special_tokens(specials)
    return tokenizer


BERT_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
FAIRSEQ_SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def tokenizer_config(specials: list[str], length: int, type_ids: bool) -> dict:
    bert = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    fairseq = {"pad": "<pad>", "unk": "<unk>", "cls": "<s>", "sep": "</s>", "mask": "<mask>"}
    names = {f"{role}_token": token for role, token in (fairseq if "<s>" in specials else bert).items()}
    inputs = ["input_ids", *(["token_type_ids"] if type_ids else []), "attention_mask"]
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": length, "model_input_names": inputs}
    return config | names


def common_sizes(vocabulary: int) -> dict:
    sizes = {"vocab_size": vocabulary, "hidden_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 2}
    return sizes | {"intermediate_size": 48, "initializer_range": 0.25}


def families(vocabulary: int) -> dict[str, transformers.PretrainedConfig]:
    common = common_sizes(vocabulary)
    fairseq = common | {"max_position_embeddings": 42, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
    distil = {"dim": HIDDEN, "n_layers": 2, "n_heads": 2, "hidden_dim": 48, "vocab_size": vocabulary}
    return {
        "bert": transformers.BertConfig(**common, max_position_embeddings=40),
        "mpnet": transformers.MPNetConfig(**common, max_position_embeddings=162, layer_norm_eps=1e-5),
        "roberta": transformers.RobertaConfig(**fairseq),
        "xlm-roberta": transformers.XLMRobertaConfig(**fairseq),
        "camembert": transformers.CamembertConfig(**fairseq),
        "electra": transformers.ElectraConfig(**common, embedding_size=16, max_position_embeddings=40),
        "distilbert": transformers.DistilBertConfig(
            **distil, max_position_embeddings=40, initializer_range=0.25, sinusoidal_pos_embds=False
        ),
    }


def is_fairseq(family: str) -> bool:
    return family in ("mpnet", "roberta", "xlm-roberta", "camembert")


def random_tensors(config: transformers.PretrainedConfig, labels: int, seed: int) -> dict[str, torch.Tensor]:
    config = copy.deepcopy(config)
    config.num_labels = labels
    torch.manual_seed(seed)
    tensors = transformers.AutoModelForSequenceClassification.from_config(config).state_dict()
    for name, tensor in tensors.items():
        if name.endswith(("LayerNorm.weight", "layer_norm.weight")):
            tensor.add_(0.2 * torch.randn_like(tensor))
        elif name.endswith("bias"):
            tensor.copy_(0.2 * torch.randn_like(tensor))
        elif name.endswith("relative_attention_bias.weight"):
            tensor.copy_(torch.randn_like(tensor))
    # Two bytes each keep the files small, and are what many published folders have.
    return {name: tensor.half().contiguous() for name, tensor in tensors.items() if tensor.is_floating_point()}


def write_weights(family: str, tensors: dict[str, torch.Tensor]) -> dict:
    """Each family in a form of its own. Returns where a folder has which file."""
    if family == "roberta":
        torch.save(tensors, CHECKPOINTS / "roberta.bin")
        return {"pytorch_model.bin": {"copy": "roberta.bin"}}
    if family == "xlm-roberta":
        names = sorted(tensors)
        weight_map, files = {}, {}
        for number, part in enumerate((names[: len(names) // 2], names[len(names) // 2 :]), 1):
            file = f"pytorch_model-0000{number}-of-00002.bin"
            # As published shards do, with an integer buffer that no model has any more.
            extra = {"roberta.embeddings.position_ids": torch.arange(42).expand((1, -1))} if number == 1 else {}
            torch.save({name: tensors[name] for name in part} | extra, CHECKPOINTS / f"xlm-roberta-{number}.bin")
            files[file] = {"copy": f"xlm-roberta-{number}.bin"}
            weight_map |= dict.fromkeys((*part, *extra), file)
        index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
        return files | {"pytorch_model.bin.index.json": {"json": index}}
    if family == "bert":
        # Names and nesting of the first BERTs in PyTorch, in bf16 parameters of an OrderedDict.
        old = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
               for name, tensor in tensors.items()}
        torch.save({name: torch.nn.Parameter(tensor.bfloat16()) for name, tensor in old.items()},
                   CHECKPOINTS / "bert.bin")
        return {"pytorch_model.bin": {"copy": "bert.bin"}}
    if family == "camembert":
        # As torch.save wrote before PyTorch 1.6; its keys are addresses, so that the file differs each time.
        torch.save(tensors, CHECKPOINTS / "camembert.bin", _use_new_zipfile_serialization=False)
        return {"pytorch_model.bin": {"copy": "camembert.bin"}}
    safetensors.torch.save_file(tensors, CHECKPOINTS / f"{family}.safetensors", {"format": "pt"})
    return {"model.safetensors": {"copy": f"{family}.safetensors"}}


def config_json(config: transformers.PretrainedConfig, labels: int, architecture: str) -> dict:
    raw = json.loads(config.to_json_string(use_diff=False))
    kept = (
        "model_type hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act vocab_size "
        "max_position_embeddings type_vocab_size layer_norm_eps pad_token_id embedding_size "
        "relative_attention_num_buckets dim n_layers n_heads hidden_dim activation sinusoidal_pos_embds"
    ).split()
    names = LABELS[:labels] if labels > 1 else ["LABEL_0"]
    value = {key: raw[key] for key in kept if raw.get(key) is not None} | {"architectures": [architecture]}
    value["id2label"] = {str(index): name for index, name in enumerate(names)}
    return value | {"label2id": {name: index for index, name in enumerate(names)}}


def variants(labels_of: dict[str, int]) -> list[dict]:
    result = []
    for specials in (BERT_SPECIALS, FAIRSEQ_SPECIALS):
        file = "fairseq-tokenizer.json" if "<s>" in specials else "bert-tokenizer.json"
        tokenizer_of(specials).save(str(CHECKPOINTS / file), pretty=False)
    vocabulary = tokenizer_of(BERT_SPECIALS).get_vocab_size()
    weights = {}
    for seed, (family, config) in enumerate(families(vocabulary).items(), 20240229):
        labels = labels_of[family]
        specials = FAIRSEQ_SPECIALS if is_fairseq(family) else BERT_SPECIALS
        weights[family] = write_weights(family, random_tensors(config, labels, seed))
        length = 160 if family == "mpnet" else 40
        classifier = transformers.AutoModelForSequenceClassification.from_config(config).__class__.__name__
        encoder = transformers.AutoModel.from_config(config).__class__.__name__
        tokenizer = "fairseq-tokenizer.json" if is_fairseq(family) else "bert-tokenizer.json"
        files = weights[family] | {
            "tokenizer.json": {"copy": tokenizer},
            "tokenizer_config.json": {"json": tokenizer_config(specials, length, family in ("bert", "electra"))},
        }
        base = {"config.json": {"json": config_json(config, labels, encoder)}}
        bi = {"name": f"{family}, no modules.json", "kind": "bi", "files": files | base, "options": {}}
        result.append(bi | {"role": "plain", "texts": len(TEXTS)})
        head = {"config.json": {"json": config_json(config, labels, classifier)}}
        for activation in ("auto", "softmax") if labels > 1 else ("none",):
            name = f"{family}, {labels} labels, {activation}"
            result.append({"name": name, "kind": "cross", "files": files | head, "options": {"activation": activation}})
    return result


def module_variants(electra: dict) -> list[dict]:
    """Modules that the tiny BERT of encoder_goldens.py has not, after the ELECTRA above."""
    new = sentence_transformers.sentence_transformer.modules
    pooling = {mode: new.Pooling(HIDDEN, mode) for mode in ("mean", "cls")}
    pooling["two"] = new.Pooling(HIDDEN, ["mean", "max"])
    sigmoid, relu, gelu = torch.nn.Sigmoid(), torch.nn.ReLU(), torch.nn.GELU()
    chains = {
        "Dense with Sigmoid and a projected residual, LayerNorm, Normalize": [
            pooling["two"],
            new.Dense(2 * HIDDEN, 24, activation_function=sigmoid, use_residual=True),
            new.LayerNorm(24),
            new.Normalize(),
        ],
        "Normalize before Dense with ReLU, Dropout": [
            pooling["cls"],
            new.Normalize(),
            new.Dense(HIDDEN, 16, bias=False, activation_function=relu),
            new.Dropout(0.5),
        ],
        "Dense with GELU twice": [
            pooling["mean"],
            new.Dense(HIDDEN, 24, activation_function=gelu),
            new.Dense(24, 8, activation_function=gelu),
        ],
    }
    torch.manual_seed(20240229)
    result = []
    for number, (name, modules) in enumerate(chains.items()):
        files = dict(electra["files"])
        entries = [{"idx": 0, "name": "0", "path": "", "type": f"{tiny.NEW_CLASS['Transformer']}"}]
        for index, module in enumerate(modules, 1):
            for parameter in module.parameters():
                parameter.data.copy_(torch.randn_like(parameter).half())
            kind = type(module)
            path = f"{index}_{kind.__name__}"
            class_path = f"{kind.__module__}.{kind.__name__}"
            entries.append({"idx": index, "name": str(index), "path": path, "type": class_path})
            with tempfile.TemporaryDirectory() as folder:
                # The second chain has its weights in PyTorch's own form.
                module.save(folder, **({"safe_serialization": number != 1} if list(module.parameters()) else {}))
                for file in pathlib.Path(folder).iterdir():
                    if file.suffix == ".json":
                        files[f"{path}/{file.name}"] = {"json": json.loads(file.read_text())}
                    else:
                        stored = f"module-{number}-{index}{file.suffix}"
                        (CHECKPOINTS / stored).write_bytes(file.read_bytes())
                        files[f"{path}/{file.name}"] = {"copy": stored}
        files["modules.json"] = {"json": entries}
        result.append({"name": name, "kind": "bi", "files": files, "options": {}, "role": "plain", "texts": 3})
    return result


def answer(variant: dict) -> list:
    with tempfile.TemporaryDirectory() as folder:
        for name, source in variant["files"].items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if "json" in source:
                path.write_text(json.dumps(source["json"]))
            else:
                path.write_bytes((CHECKPOINTS / source["copy"]).read_bytes())
        return (tiny.answer_bi if variant["kind"] == "bi" else tiny.answer_cross)(variant, folder)


def main() -> None:
    torch.set_num_threads(1)
    CHECKPOINTS.mkdir(parents=True, exist_ok=True)
    tiny.TINY_TEXTS[:], tiny.TINY_PAIRS[:] = TEXTS, PAIRS
    labels_of = {"bert": 1, "mpnet": 1, "roberta": 1, "xlm-roberta": 3, "camembert": 1, "electra": 1, "distilbert": 3}
    rows = variants(labels_of)
    rows += module_variants(next(row for row in rows if row["name"].startswith("electra")))
    for variant in rows:
        variant["results"] = answer(variant)
        print(f"{variant['name']}: {len(variant['results'])} x {len(variant['results'][0])}")
    head = tiny.header() | {"made_by": "tests/oracle/family_checkpoints.py", "files": {}}
    head |= {"texts": TEXTS, "pairs": PAIRS}
    tiny.write_golden(CHECKPOINTS / "golden.json", head, "variants", rows)
    for path in CHECKPOINTS.iterdir():
        path.chmod(0o644)


if __name__ == "__main__":
    main()
