// How results tell people what they cost: truncation, arithmetic and times.
#pragma once

#include <string>
#include <string_view>

#include "tandem/compute.h"
#include "tandem/retriever.h"

namespace tandem::cli {

/// "none of 12 texts truncated" or "3 of 12 texts truncated: 812 tokens dropped".
std::string describe(const Truncation& truncation);
/// "bf16 on avx512_bf16, 2 threads".
std::string describe(const ComputeInfo& info);
/// "encode 3.1 ms, retrieve 0.2 ms, rerank 61.0 ms, total 64.3 ms", without the stages that did not run.
std::string describe(const StageTimes& times);

/// A count with its noun: "1 text", "12 texts"; "1 query", "12 queries".
std::string count_of(std::size_t count, std::string_view noun);
std::string count_of(std::size_t count, std::string_view one, std::string_view many);

/// `text` on one line, as shown_field() has it, but with one blank for each run of white space; cut to `columns_max`
/// code points, with "…" where it was.
std::string one_line(std::string_view text, std::size_t columns_max);

/// A text of more than `columns_max` code points, at least 3, with "…" in place of its middle: ids often differ at both
/// ends.
std::string without_middle(std::string_view text, std::size_t columns_max);

}  // namespace tandem::cli
