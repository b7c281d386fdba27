// What files of texts, pairs, queries and documents hold, and what their columns are called.
//
//   tandem::TextOptions table{.format = tandem::TextFormat::kCsv, .columns = {{.field = "text", .column = "body"}}};
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tandem/choices.h"

namespace tandem {

/// Where a field of the records is: `field` is "text", "id" or "title" ("query", "document" in pairs).
struct FieldColumn {
  std::string field;
  std::string column;  ///< A name of the header line, a member of JSON lines; empty: this field is not there.
};

struct TextOptions {
  TextFormat format = TextFormat::kAuto;
  std::vector<FieldColumn> columns = {};  ///< Fields whose columns have other names.
  std::optional<char> separator = {};     ///< Between the fields of CSV; default: a comma, or what a line "sep=;" says.
  bool no_header = false;                 ///< A table's first line is a record; its columns are called "1", "2", ….
};

}  // namespace tandem
