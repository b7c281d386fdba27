// Lines of TREC's files, whose columns are separated by white space: what a column can hold, and the line of a run.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tandem/result.h"

namespace tandem {

/// Whether a file whose columns are separated by white space can hold this. A word has no white space of Unicode's, at
/// which Python's split() ends a column as well, and nothing that acts_unseen(): some programs take more of it for
/// white space or for line ends than others, and it is printed as an escape, which another id may be spelled like. So
/// are bytes that are not UTF-8.
bool is_one_word(std::string_view text);

/// Whether a line that begins with this is read as it was written: no comment, no byte-order mark.
bool can_begin_line(std::string_view text);

/// One result of a run.
struct RunLine {
  std::string_view query_id;
  std::string_view document_id;
  std::size_t rank = 0;
  float score = 0;
  std::string_view tag;
};

/// Appends "qid Q0 docid rank score tag" and a line feed, as trec_eval reads it. Errors: kUnsupported for a query id,
/// document id or tag that would not be read back as it is; then `text` is unchanged.
Status append_run_line(std::string& text, const RunLine& line);

}  // namespace tandem
