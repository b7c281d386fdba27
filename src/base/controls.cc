#include "base/controls.h"

#include <optional>

#include "base/error.h"
#include "base/utf8.h"

namespace tandem {
namespace {

std::optional<char32_t> first_control(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    if (is_control(step.code_point)) return step.code_point;
    position += step.bytes;
  }
  return std::nullopt;
}

}  // namespace

bool is_control(char32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) || code_point == 0x2028 || code_point == 0x2029;
}

bool acts_unseen(char32_t code_point) {
  const bool turns = code_point == 0x061C || code_point == 0x200E || code_point == 0x200F ||
                     (code_point >= 0x202A && code_point <= 0x202E) || (code_point >= 0x2066 && code_point <= 0x2069);
  return turns || is_control(code_point);
}

bool has_control(std::string_view text) { return first_control(text).has_value(); }

Status check_name(std::string_view what, std::string_view name) {
  const std::optional<char32_t> control = first_control(name);
  if (!control) return {};
  return fail(ErrorCode::kCorruptData, "the {} '{}' holds the control character U+{:04X}, want none", what, name,
              static_cast<unsigned>(*control));
}

}  // namespace tandem
