// For the fuzzers of this folder: the folders of tests/checkpoints as they begin with them, and what must hold of every
// encoder that could be opened, whatever its files say.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing/fuzzed_folder.h"
#include "engine/testing/encoder_goldens.h"
#include "tandem/bi_encoder.h"
#include "tandem/cross_encoder.h"

namespace tandem {

/// The files that a variant of a golden lists.
inline FolderFiles golden_files(JsonValue files) {
  const TemporaryFolder folder;
  add_golden_files(folder, files, families_folder());
  FolderFiles contents;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    contents[entry.path().lexically_relative(folder.path()).string()].assign(std::istreambuf_iterator<char>(stream),
                                                                             {});
  }
  return contents;
}

/// Texts of every kind, of which `own` is the fuzzer's.
inline std::vector<std::string> fuzzed_texts(std::string_view own) {
  constexpr std::size_t kBytesMax = 4096;
  std::string long_text;
  for (int i = 0; i < 60; ++i) long_text += "one red boat, ";
  return {"The cat sat on the mat.",
          "",
          "[CLS] one [SEP] [MASK][PAD] <s> two </s><pad> <mask> [UNK] <unk>",
          "d'o\u00f9 \u4e2d\u6587 \ufb01 \u0130 e\u0301 \xFF \u200d\U0001F600",
          long_text,
          std::string(own.substr(0, kBytesMax))};
}

/// One byte each of a choice that the fuzzer makes; 0 where it has made none.
class FuzzedChoices {
 public:
  explicit FuzzedChoices(std::string_view bytes) : bytes_(bytes) {}
  std::size_t next() {
    if (bytes_.empty()) return 0;
    const auto choice = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return choice;
  }

 private:
  std::string_view bytes_;
};

inline ComputeOptions fuzzed_compute(FuzzedChoices& choices) {
  constexpr std::array kPrecisions = {Precision::kF32, Precision::kInt8, Precision::kBf16, Precision::kAuto};
  const Precision precision = kPrecisions[choices.next() % kPrecisions.size()];
  return {.precision = precision, .executor = Executor(1), .batch_tokens = choices.next()};
}

/// That rows are what a caller may rely on, and those that `alone` computes for one text at a time.
template <class Alone>
void check_rows(MatrixView rows, const Alone& alone) {
  for (std::size_t row = 0; row < rows.rows; ++row) {
    for (const float value : rows.row(row)) CHECK(std::isfinite(value));
    const Result<Matrix> single = alone(row);
    CHECK(single && single->rows() == 1 && single->columns() == rows.columns);
    CHECK(std::memcmp(single->data(), rows.row(row).data(), rows.columns * sizeof(float)) == 0);
  }
}

inline void check_error(const Error& error) { CHECK(!error.message.empty()); }

inline void check_bi_encoder(const BiEncoder& encoder, std::span<const std::string> texts, TextRole role) {
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const Result<Embeddings> embeddings = encoder.encode(views, role);
  if (!embeddings) return check_error(embeddings.error());
  CHECK(embeddings->vectors.rows() == texts.size() && embeddings->vectors.columns() == encoder.dimensions());
  CHECK(embeddings->truncation.texts == texts.size() && encoder.dimensions() > 0);
  check_rows(embeddings->vectors, [&](std::size_t row) -> Result<Matrix> {
    auto single = encoder.encode(std::span(views).subspan(row, 1), role);
    if (!single) return tl::unexpected(single.error());
    return std::move(single->vectors);
  });
  const Result<BiEncoderIdentity> identity = encoder.identity();
  CHECK(identity && identity->dimensions == encoder.dimensions() && identity->max_length > 0);
  if (!identity->normalized()) return;
  for (std::size_t row = 0; row < texts.size(); ++row) {
    double squares = 0;
    for (const float value : embeddings->vectors.row(row)) squares += static_cast<double>(value) * value;
    CHECK(squares < 1.001);  // 0 for a vector that has no direction.
  }
}

inline void check_cross_encoder(const CrossEncoder& encoder, std::span<const std::string> texts) {
  std::vector<TextPair> pairs;
  for (std::size_t i = 0; i < texts.size(); ++i) pairs.push_back({texts[i], texts[(i + 1) % texts.size()]});
  const Result<PairScores> scores = encoder.predict(pairs);
  if (!scores) return check_error(scores.error());
  CHECK(scores->scores.rows() == pairs.size() && scores->scores.columns() == encoder.labels().size());
  CHECK(!encoder.labels().empty());
  CHECK(encoder.identity());
  check_rows(scores->scores, [&](std::size_t row) -> Result<Matrix> {
    auto single = encoder.predict(std::span(pairs).subspan(row, 1));
    if (!single) return tl::unexpected(single.error());
    return std::move(single->scores);
  });
}

}  // namespace tandem
