"""From the figures of a run to the table that people read."""

import pathlib
import sys

import numpy as np

BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"
PEAKS = {"f32": "f32_gflops", "bf16": "bf16_gflops", "int8": "int8_gops"}


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return (left.astype(np.float64) * right).sum(1) / norms


def markdown(results: dict) -> str:
    machine, peak, quiet = results["machine"], results["peak"], results["quiet"]
    lines = [
        "| task | Tandem | peer | ratio | wanted | share of the machine's peak: Tandem / peer "
        "| error to f32: Tandem / peer |",
        "|---|---|---|---|---|---|---|",
        *(table_row(row, peak) for row in results["rows"]),
        "",
        f"{machine['processor']}, {machine['processors']} processors, {results['threads']} threads each; "
        f"{results['date'][:10]}, commit {results['commit']}. Both sides in turn in one run, best of "
        f"{results['rounds']} rounds or more, wall clock, tokenisation included, the same texts ({results['texts']}). "
        f"Each peer in the best configuration of a small grid. Others used {quiet['others_share']:.1%} of the "
        f"processors before the run and at most {others_share_max(results):.1%} in a round that counts"
        + (" (**forced**: the machine was not quiet)" if quiet["forced"] else "")
        + ".",
        "",
        f"The machine's own peak, {peak['threads']} threads: f32 {peak['f32_gflops']} GFLOP/s, "
        f"bf16 {peak['bf16_gflops']} GFLOP/s, int8 {peak['int8_gops']} GOP/s, memory {peak['read_gbps']} GB/s. "
        f"Peers: {', '.join(results['versions'])}. `{results['command']}` repeats this table.",
        "",
    ]
    return "\n".join(lines)


def others_share_max(results: dict) -> float:
    return max((share for row in results["rows"] for share in row.get("others_share", ())), default=0.0)


def table_row(row: dict, peak: dict) -> str:
    sides = [row["ours"], row.get("theirs")]
    cells = [
        row["title"],
        amount(row, sides[0]),
        f"{amount(row, sides[1])} ({peer_name(sides[1])})" if sides[1] else "–",
        f"**{row['ratio']:.2f}×**" if "ratio" in row else "–",
        wanted(row),
        both(sides, lambda side: share_of_peak(row, side, peak)),
        both(sides, error),
    ]
    return f"| {' | '.join(cells)} |"


def amount(row: dict, side: dict) -> str:
    """What was measured, in the unit that people compare."""
    if row.get("kind") == "embed":
        items = side["texts"] if "texts" in side else side["items"]
        return f"{items / side['best']:.1f} passages/s, {side['tokens'] / side['best']:,.0f} tokens/s"
    if row.get("kind") == "rerank":
        return f"{side['best']:.2f} s, {side['tokens'] / side['best']:,.0f} tokens/s"
    if row.get("kind") == "tokenize":
        return f"{side['tokens'] / side['best'] / 1e6:.2f} M tokens/s"
    if row["unit"] == "s":
        return f"{side['best'] * 1e3:.0f} ms"
    return f"{side['best']:.3g} {row['unit']}"


def peer_name(side: dict) -> str:
    """The peer and how it was configured."""
    if "version" not in side:
        return "sentence-transformers"
    configuration = side["configuration"]
    if "call" in configuration:
        return f"{side['version']}, {configuration['call']}"
    streams = configuration["streams"]
    if "batch" not in configuration:
        return f"{side['version']}, batch 1"
    noun = "stream" if configuration["engine"] == "openvino" else "session"
    return f"{side['version']}, {streams} {noun}{'s' * (streams > 1)}, batch {configuration['batch']}"


def wanted(row: dict) -> str:
    """What the project wants, and whether this run has it."""
    conditions = []
    if row.get("wanted"):
        conditions.append((f"{row['wanted']}×", row["ratio"] >= row["wanted"]))
    if "value_max" in row:
        limit = f"{row['value_max'] * 1e3:.0f} ms" if row["unit"] == "s" else f"{row['value_max']} {row['unit']}"
        conditions.append((f"under {limit}", row["ours"]["best"] < row["value_max"]))
    return ", ".join(f"{text} {'✓' if reached else '✗ not reached'}" for text, reached in conditions) or "reported"


def share_of_peak(row: dict, side: dict, peak: dict) -> str | None:
    if "flops_per_token" not in row or not peak[PEAKS[row["precision"]]]:
        return None
    giga = row["flops_per_token"] * side["tokens"] / side["best"] * 1e-9
    return f"{giga / peak[PEAKS[row['precision']]]:.0%}"


def error(side: dict) -> str | None:
    if "cosine_mean" in side:
        return f"cosine {side['cosine_mean']:.5f} (min {side['cosine_min']:.4f})"
    if "logit_errors" in side:
        texts = [f"{found['mean']:.4f} (max {found['max']:.3f})" for found in side["logit_errors"].values()]
        return "logit " + ", on BM25's candidates ".join(texts)
    return None


def both(sides: list, describe) -> str:
    texts = [describe(side) for side in sides if side]
    return " / ".join(texts) if all(texts) and len(texts) == 2 else "–"


def put_into_readme(path: pathlib.Path, table: str) -> None:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if BEGIN not in text or END not in text:
        print(f"!! {path} has no {BEGIN} … {END}: the table was not put there", file=sys.stderr)
        return
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")
