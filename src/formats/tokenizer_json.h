// Reads tokenizer.json of the Hugging Face `tokenizers` library. A part that Tandem does not run is refused by name.
// `padding` is not read, and of `truncation` only the direction: batches are ragged, and the caller says how long a
// text may be. `decoder` is not read either: Tandem never decodes.
#pragma once

#include <filesystem>
#include <string_view>

#include "formats/tokenizer_spec.h"
#include "tandem/result.h"

namespace tandem {

/// Errors: kNotFound, kCorruptData (file, part, expected, got), kUnsupported (the part by its type).
Result<TokenizerSpec> read_tokenizer_json(const std::filesystem::path& path);

/// The same from memory; `name` stands in front of every error.
Result<TokenizerSpec> parse_tokenizer_json(std::string_view text, std::string_view name);

}  // namespace tandem
