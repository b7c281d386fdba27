// What inputs are called in results: as short as tells them apart, else as they were given.
#pragma once

#include <string>
#include <vector>

namespace tandem::cli {

/// The first stage of a sweep that is a bi-encoder; others are the files of runs.
inline constexpr const char* kBiStage = "bi";

/// Without folder and ending.
std::vector<std::string> stems_of(const std::vector<std::string>& files);

/// The last part of each path or model id.
std::vector<std::string> last_parts_of(const std::vector<std::string>& names);

}  // namespace tandem::cli
