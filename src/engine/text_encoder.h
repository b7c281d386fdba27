// What the bi-encoder and the cross-encoder share: texts taken through tokenizer and encoder on every thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "engine/model_parts.h"
#include "model/head.h"
#include "model/text_vector.h"
#include "tandem/call.h"
#include "tandem/compute.h"
#include "tandem/matrix.h"
#include "tandem/result.h"
#include "tandem/tokenizer.h"

namespace tandem {

/// One text, or a pair that the model reads together.
struct TextInput {
  std::string_view first;
  std::optional<std::string_view> second = {};
  std::string_view prompt = {};  ///< Comes before the first text, as if it were part of it.
};

struct EncodedTexts {
  Matrix rows;  ///< [texts, columns()], in the order of the texts.
  Truncation truncation;
};

/// Thread-safe: batches of calls from several threads take turns on the executor.
class TextEncoder {
 public:
  /// Packs the weights. `read_out`: what is read of each text. Errors: those of reading tensors and of `call`.
  static Result<TextEncoder> load(ModelParts parts, std::variant<TextVector, Head> read_out, const CallOptions& call);

  /// Tokenises and encodes every text. `skipped`: see SessionCall. Errors: kCorruptData when a file of the weights was
  /// changed meanwhile; those of `call`.
  Result<EncodedTexts> encode(std::span<const TextInput> texts, std::size_t skipped, const CallOptions& call) const;

  /// Whether the tokenizer leaves nothing of a text.
  bool is_blank(std::string_view text) const;

  std::size_t columns() const;
  const ModelConfig& config() const;
  const Tokenizer& tokenizer() const;
  const ComputeInfo& compute() const;
  const Executor& executor() const;
  std::size_t max_length() const;
  /// See BiEncoderIdentity::settings.
  const std::string& settings() const;

  /// "sha256:…" over the weights that were read, an adapter's and modules' too, and the tokenizer's files. Computed on
  /// the first call, then remembered.
  Result<std::string> weights_hash(const CallOptions& call = {}) const;

  TextEncoder(TextEncoder&&) noexcept;
  TextEncoder& operator=(TextEncoder&&) noexcept;
  ~TextEncoder();

 private:
  struct State;
  explicit TextEncoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tandem
