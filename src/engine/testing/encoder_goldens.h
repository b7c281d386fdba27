// For tests: reading what tests/oracle/encoder_goldens.py and family_checkpoints.py wrote.
#pragma once

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/testing/temporary_folder.h"

namespace tandem {

/// The value of a Result that must have one: a test that cannot read its golden must not go on.
template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

inline std::filesystem::path goldens_folder() { return std::filesystem::path(TANDEM_SOURCE_DIR) / "tests/goldens"; }

/// Folders of tiny checkpoints with what the references answer, each a golden.json and the files that it names.
inline std::filesystem::path tiny_bert_folder() { return goldens_folder() / "tiny-bert"; }
inline std::filesystem::path families_folder() {
  return std::filesystem::path(TANDEM_SOURCE_DIR) / "tests/checkpoints";
}

/// A text as goldens spell it: itself, {"text", "times"} when it is repeated, {"hex"} when it is not UTF-8.
inline std::string golden_text(JsonValue spec) {
  if (spec.is_string()) return std::string(must(spec.as_string()));
  std::string text;
  if (spec.find("hex")) {
    const std::string_view digits = must(spec.get_string("hex"));
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
      text.push_back(static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
    }
    return text;
  }
  const std::string_view part = must(spec.get_string("text"));
  for (std::uint64_t times = must(spec.get_unsigned("times")); times > 0; --times) text += part;
  return text;
}

inline std::vector<float> golden_floats(JsonValue array) {
  std::vector<float> numbers;
  for (const JsonValue& number : must(array.as_array())) {
    numbers.push_back(static_cast<float>(must(number.as_double())));
  }
  return numbers;
}

/// Puts a model folder together from {"path": {"copy": file of `source`} | {"json": contents} | null}, null meaning
/// that the folder lacks it. Later calls override earlier ones.
inline void add_golden_files(const TemporaryFolder& folder, JsonValue files,
                             const std::filesystem::path& source_folder = tiny_bert_folder()) {
  const Status added = files.for_each_member([&](std::string_view name, JsonValue source) -> Status {
    const std::filesystem::path path = folder.path() / name;
    if (source.is_null()) {
      std::filesystem::remove(path);
    } else if (const auto contents = source.find("json")) {
      folder.write(name, contents->dump());
    } else {
      std::filesystem::create_directories(path.parent_path());
      std::filesystem::copy_file(source_folder / must(source.get_string("copy")), path,
                                 std::filesystem::copy_options::overwrite_existing);
    }
    return {};
  });
  if (!added) throw std::runtime_error(added.error().message);
}

/// The folder of a published model, or an empty path where this machine does not have it.
inline std::filesystem::path published_model(std::string_view name) {
  const char* folder = std::getenv("TANDEM_TEST_MODELS");
  if (folder == nullptr) return {};
  const std::filesystem::path path = std::filesystem::path(folder) / name;
  return std::filesystem::exists(path / "config.json") ? path : std::filesystem::path();
}

inline double cosine(std::span<const float> left, std::span<const float> right) {
  double dot = 0;
  double left_squared = 0;
  double right_squared = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    dot += static_cast<double>(left[i]) * right[i];
    left_squared += static_cast<double>(left[i]) * left[i];
    right_squared += static_cast<double>(right[i]) * right[i];
  }
  return dot / std::sqrt(left_squared * right_squared);
}

}  // namespace tandem
