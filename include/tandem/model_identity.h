// Which encoder it was: what has to agree for vectors to be compared, and for scores to be the same.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "tandem/choices.h"

namespace tandem {

/// Everything about a bi-encoder that decides what its vectors mean: two that agree here may be compared.
struct BiEncoderIdentity {
  std::string model;         ///< The Hugging Face id, or the folder's name where none is recorded; an adapter's own.
  std::string weights_hash;  ///< "sha256:…" over the weight files, an adapter's and modules' too, and the tokenizer.
  /// What the model's configuration and its tokenizer's decide beside that, in words; empty where it was not recorded.
  std::string settings;
  std::string pooling;      ///< e.g. "mean".
  std::string prompt_name;  ///< Empty: by role.
  std::size_t dimensions = 0;
  std::size_t max_length = 0;
  /// None: it was not recorded, and vectors do not have length 1.
  std::optional<Normalization> normalization = Normalization::kNone;

  /// Vectors have length 1: compare by inner product; otherwise by L2.
  bool normalized() const { return normalization == Normalization::kAtEnd; }
};

/// Everything about a cross-encoder but its arithmetic that decides what its scores are.
struct CrossEncoderIdentity {
  std::string model;         ///< The Hugging Face id, or the folder's name where none is recorded.
  std::string weights_hash;  ///< "sha256:…" over the weight files and the tokenizer.
  std::string settings;      ///< What the model's configuration and its tokenizer's decide beside that, in words.
  std::size_t max_length = 0;
  Activation activation = Activation::kNone;  ///< Never kAuto.
};

}  // namespace tandem
