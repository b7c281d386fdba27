// Finds out what a model folder's tokenizer is made of, whichever files tell it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "formats/tokenizer_spec.h"
#include "tandem/result.h"

namespace tandem {

/// Reads tokenizer.json; where there is none, what transformers makes a tokenizer of for the model's family:
/// vocab.txt, vocab.json with merges.txt, or sentencepiece.bpe.model, with what tokenizer_config.json,
/// special_tokens_map.json and added_tokens.json say. Errors: kNotFound, kCorruptData (file, part, expected, got),
/// kUnsupported (the part by its type).
Result<TokenizerSpec> read_tokenizer_folder(const std::filesystem::path& folder);

/// The settings that such a folder's other files add to the vocabulary, in words; empty where tokenizer.json holds all.
/// Errors: as above.
Result<std::string> describe_tokenizer(const std::filesystem::path& folder);

/// The files that hold the vocabulary which read_tokenizer_folder() would read: one or two, none where it would fail.
std::vector<std::filesystem::path> tokenizer_files(const std::filesystem::path& folder);

}  // namespace tandem
