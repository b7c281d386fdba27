#include "text_table.h"

#include <algorithm>
#include <string_view>

#include "terminal.h"

namespace tandem::cli {

namespace {

/// How many columns of the terminal a cell takes: its code points.
std::size_t width_of(std::string_view cell) {
  return static_cast<std::size_t>(
      std::ranges::count_if(cell, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

}  // namespace

std::string to_table(const TableRows& cells, std::optional<std::size_t> left_column) {
  TableRows rows = cells;
  std::vector<std::size_t> widths;
  for (std::vector<std::string>& row : rows) {
    for (std::string& cell : row) cell = shown_field(cell);
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string table;
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - width_of(row[i]), ' ');
      if (i > 0) table += "  ";
      table += i == left_column ? row[i] + blanks : blanks + row[i];
    }
    table.erase(table.find_last_not_of(' ') + 1);
    table += '\n';
  }
  return table;
}

}  // namespace tandem::cli
