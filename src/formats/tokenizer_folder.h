// Finds out what a model folder's tokenizer is made of, whichever files tell it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tandem/result.h"

namespace tandem {

/// What transformers 5 makes of the folder: the class that it declares, or that of its model's family, with the
/// vocabulary of tokenizer.json, or, where there is none, of vocab.txt, vocab.json with merges.txt, or
/// sentencepiece.bpe.model, and with what tokenizer_config.json, special_tokens_map.json and added_tokens.json say. A
/// folder that holds tokenizer.json alone, or declares PreTrainedTokenizerFast, has what that file says. Errors:
/// kNotFound, kCorruptData (file, part, expected, got), kUnsupported (the class, the part or the key by its name).
Result<TokenizerSpec> read_tokenizer_folder(const std::filesystem::path& folder);

/// The files that hold the vocabulary which read_tokenizer_folder() would read: one or two, none where it would fail.
std::vector<std::filesystem::path> tokenizer_files(const std::filesystem::path& folder);

}  // namespace tandem
