// Tables on the terminal.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tandem::cli {

using TableRows = std::vector<std::vector<std::string>>;

/// Columns two blanks apart, one of them aligned to the left and the others to the right. Each row is one line,
/// whatever its cells hold (shown_field()), with a line feed and no blanks before it.
std::string to_table(const TableRows& cells, std::optional<std::size_t> left_column = 0);

}  // namespace tandem::cli
