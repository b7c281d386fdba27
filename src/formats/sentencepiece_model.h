// Reads the model files of SentencePiece: a ModelProto in protocol buffers, of which this takes
//
//   1  pieces           1  piece, a string    2  score, a float    3  type: 1 normal, 2 unknown, 3 control,
//                       4 user defined, 5 unused, 6 byte
//   2  trainer_spec     3  model_type: 1 unigram, 2 BPE, 3 word, 4 char    35  byte_fallback
//   3  normalizer_spec  2  precompiled_charsmap, bytes
//
// See sentencepiece_model.proto of the SentencePiece project.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/charsmap.h"
#include "tandem/result.h"

namespace tandem {

struct SentencePiece {
  std::string spelling;
  double score = 0;  ///< Finite.
  bool is_user_defined = false;
  bool is_control = false;
};

/// A unigram model.
struct SentencePieceModel {
  std::vector<SentencePiece> pieces;         ///< By id.
  std::shared_ptr<const Charsmap> charsmap;  ///< Null: texts stay as they are.
};

/// Errors: kNotFound, kCorruptData (file, part, expected, got), kUnsupported (another kind of model).
Result<SentencePieceModel> read_sentencepiece_model(const std::filesystem::path& path);

/// The same from memory; `name` stands in front of every error.
Result<SentencePieceModel> parse_sentencepiece_model(std::span<const std::byte> bytes, std::string_view name);

}  // namespace tandem
