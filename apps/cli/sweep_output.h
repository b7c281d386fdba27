// How the settings of a sweep are shown, in tables: what tandem eval --pipelines and tandem advise share.
#pragma once

#include <string>
#include <vector>

#include "tandem/sweep.h"
#include "text_table.h"

namespace tandem::cli {

std::vector<std::string> metric_names(const SweepResult& result);

/// What the best order of each first stage's candidates would have, below a row of titles.
TableRows ceiling_rows(const SweepResult& result);

/// "120 texts encoded and 900 pairs scored, none twice; 10 texts and 0 pairs were there already".
std::string describe(const CacheCounts& counts);

/// How many texts were truncated, as far as it is known: of what a cache has, it is not.
std::string describe_truncation(const SweepResult& result);

}  // namespace tandem::cli
