"""Writes the Hugging Face folder that goldens are made from, for a model that is distributed as INT8 ONNX only.

    python encoder_checkpoints.py ONNX_FOLDER OUTPUT_FOLDER --kind bi|cross

`tandem pull` reads such files back in C++; the weights here come from the onnx package instead, so that goldens catch a
mistake in ours. `onnx_weights_reference.py score ONNX_FOLDER/model.onnx OUTPUT_FOLDER` then compares the folder under
sentence-transformers with the ONNX file under ONNX Runtime.
"""

import argparse
import json
import pathlib
import shutil

import onnx_weights_reference
import safetensors.numpy

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
MINILM_L12 = {
    "model_type": "bert",
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "hidden_act": "gelu",
    "max_position_embeddings": 512,
    "vocab_size": 30522,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}
CROSS_CONFIG = MINILM_L12 | {
    "architectures": ["BertForSequenceClassification"],
    "id2label": {"0": "LABEL_0"},
    "label2id": {"LABEL_0": 0},
    "sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity", "version": "4.1.0"},
}
BI_CONFIG = MINILM_L12 | {"architectures": ["BertModel"]}
BI_MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]
CLS_POOLING = {"word_embedding_dimension": 384, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}


def write_folder(source: pathlib.Path, target: pathlib.Path, kind: str) -> None:
    def write_json(name: str, value) -> None:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(json.dumps(value, indent=2) + "\n")

    write_json("config.json", CROSS_CONFIG if kind == "cross" else BI_CONFIG)
    if kind == "bi":
        write_json("modules.json", BI_MODULES)
        write_json("1_Pooling/config.json", CLS_POOLING)
        write_json("sentence_bert_config.json", {"max_seq_length": 512, "do_lower_case": True})
    for name in TOKENIZER_FILES:
        if (source / name).exists():
            shutil.copy(source / name, target / name)
    weights = onnx_weights_reference.read_weights(source / "model.onnx")
    safetensors.numpy.save_file(weights, target / "model.safetensors", {"format": "pt"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--kind", choices=("bi", "cross"), required=True)
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    write_folder(arguments.source, arguments.target, arguments.kind)


if __name__ == "__main__":
    main()
