"""Read an INT8 ONNX export of a BERT encoder back into a Hugging Face folder, independently of Tandem's own reader.

    python encoder_checkpoints.py ONNX_FOLDER OUTPUT_FOLDER --kind bi|cross

Some checkpoints are only distributed as dynamically quantised ONNX files. `tandem pull` reads those back in C++; this
is a second reading that shares no code with it, so that goldens made from it catch a mistake there. It follows the
graph rather than names: a weight's layer is the name of the MatMulInteger node that consumes it, and its value is
(quantised - zero point) * scale. At the end the folder runs under transformers beside the ONNX file under ONNX Runtime.
"""

import argparse
import json
import pathlib
import re
import shutil

import numpy as np
import onnx
import onnx.numpy_helper
import onnxruntime
import safetensors.numpy
import torch
import transformers

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


def read_weights(path: pathlib.Path) -> dict[str, np.ndarray]:
    """The f32 weights of a dynamically quantised ONNX file by checkpoint name, linear layers as [out, in]."""
    graph = onnx.load(path).graph
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}

    def dequantise(stem: str) -> np.ndarray:
        values = tensors[f"{stem}_quantized"].astype(np.float32) - np.float32(tensors[f"{stem}_zero_point"])
        return values * np.float32(tensors[f"{stem}_scale"])

    weights = {}
    for name, tensor in tensors.items():
        if tensor.dtype == np.float32 and re.search(r"\.(weight|bias)$", name):
            weights[name] = tensor
        elif match := re.fullmatch(r"(.*(?:embeddings|dense|classifier)\.?.*\.weight)_quantized", name):
            # Embedding tables are read as they lie; the pooler and the classifier were Gemm nodes, [in, out] by now.
            is_table = "embeddings" in name
            weights[match[1]] = dequantise(match[1]) if is_table else dequantise(match[1]).T
    for node in graph.node:
        if node.op_type != "MatMulInteger" or not node.input[1].startswith("onnx::MatMul_"):
            continue
        layer = re.fullmatch(r"/(.*)/MatMul_quant", node.name)[1].replace("/", ".")
        weights[f"{layer}.weight"] = dequantise(node.input[1].removesuffix("_quantized")).T
    return {name: np.ascontiguousarray(value) for name, value in weights.items()}


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
    safetensors.numpy.save_file(read_weights(source / "model.onnx"), target / "model.safetensors", {"format": "pt"})


def compare_with_onnx(source: pathlib.Path, target: pathlib.Path, kind: str) -> None:
    """Fails when transformers on the folder and the ONNX file differ by more than quantised activations explain."""
    auto = transformers.AutoModelForSequenceClassification if kind == "cross" else transformers.AutoModel
    model, report = auto.from_pretrained(target, dtype=torch.float32, output_loading_info=True)
    missing = {name for name in report["missing_keys"] if "pooler" not in name}
    assert not missing and not report["mismatched_keys"] and not report["unexpected_keys"], report
    batch = transformers.AutoTokenizer.from_pretrained(target)(
        ["How many people live in Berlin?"] * 2,
        [
            "Berlin had a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers.",
            "Berlin is well known for its museums.",
        ],
        padding=True,
        return_tensors="pt",
    )
    with torch.no_grad():
        ours = model.eval()(**batch)[0].numpy()
    session = onnxruntime.InferenceSession(source / "model.onnx", providers=["CPUExecutionProvider"])
    theirs = session.run(None, {item.name: batch[item.name].numpy() for item in session.get_inputs()})[0]
    if kind == "cross":
        print("logits", ours.ravel(), "under ONNX Runtime", theirs.ravel())
        assert np.abs(ours - theirs).max() < 0.5
    else:
        ours, theirs = ours[:, 0], theirs[:, 0]
        cosine = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
        print("cosines to ONNX Runtime", cosine)
        assert cosine.min() > 0.97


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--kind", choices=("bi", "cross"), required=True)
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    write_folder(arguments.source, arguments.target, arguments.kind)
    compare_with_onnx(arguments.source, arguments.target, arguments.kind)


if __name__ == "__main__":
    main()
