// Tables on the terminal.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tandem::cli {

using TableRows = std::vector<std::vector<std::string>>;

/// Columns two blanks apart, one of them aligned to the left and the others to the right. Each row ends with a line
/// feed and has no blanks before it.
std::string to_table(const TableRows& rows, std::optional<std::size_t> left_column = 0);

}  // namespace tandem::cli
