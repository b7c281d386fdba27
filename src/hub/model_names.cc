#include "hub/model_names.h"

#include <algorithm>

#include "base/error.h"
#include "base/relative_path.h"

namespace tandem {
namespace {

constexpr std::size_t kIdLengthMax = 96;
constexpr std::size_t kRevisionLengthMax = 200;
constexpr std::size_t kCommitDigits = 40;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_part_of_id(std::string_view part) {
  return !part.empty() && part.front() != '.' && part.front() != '-' && part.back() != '.' &&
         part.find("..") == part.npos && part.find("--") == part.npos &&
         std::ranges::all_of(part, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; });
}

std::string with_dashes(std::string_view text) {
  std::string result;
  for (const char character : text) {
    if (character == '/') {
      result += "--";
    } else {
      result.push_back(character);
    }
  }
  return result;
}

}  // namespace

bool is_model_id(std::string_view id) {
  if (id.size() > kIdLengthMax) return false;
  const std::size_t slash = id.find('/');
  if (slash == id.npos) return is_part_of_id(id);
  return is_part_of_id(id.substr(0, slash)) && is_part_of_id(id.substr(slash + 1));
}

bool is_revision(std::string_view revision) {
  const auto is_allowed = [](char c) {
    return is_letter_or_digit(c) || std::string_view("-_./+").find(c) != std::string_view::npos;
  };
  return revision.size() <= kRevisionLengthMax && !revision.starts_with('-') && is_safe_relative_path(revision) &&
         std::ranges::all_of(revision, is_allowed);
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_commit(std::string_view text) { return is_hex(text, kCommitDigits); }

std::string key_of(std::string_view id, std::string_view revision) {
  CHECK(is_model_id(id) && is_revision(revision));
  std::string key = with_dashes(id);
  if (revision != kMainRevision) key.append(1, '@').append(with_dashes(revision));
  return key;
}

}  // namespace tandem
