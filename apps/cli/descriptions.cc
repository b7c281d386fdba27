#include "descriptions.h"

#include <fmt/format.h>

#include <vector>

#include "base/controls.h"
#include "base/utf8.h"
#include "options.h"
#include "terminal.h"

namespace tandem::cli {

std::string describe(const Truncation& truncation) {
  const std::string texts = count_of(truncation.texts, "text");
  if (truncation.texts_truncated == 0) return fmt::format("none of {} truncated", texts);
  return fmt::format("{} of {} truncated: {} dropped", truncation.texts_truncated, texts,
                     count_of(truncation.tokens_dropped, "token"));
}

std::string describe(const ComputeInfo& info) {
  return fmt::format("{} on {}, {}", name_of(info.precision), info.isa, count_of(info.threads, "thread"));
}

std::string describe(const StageTimes& times) {
  std::string text;
  const auto add = [&text](std::string_view stage, double milliseconds) {
    if (milliseconds > 0) text += fmt::format("{}{} {:.1f} ms", text.empty() ? "" : ", ", stage, milliseconds);
  };
  add("encode", times.encode_ms);
  add("retrieve", times.retrieve_ms);
  add("rerank", times.rerank_ms);
  add("total", times.total_ms);
  return text;
}

std::string count_of(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string count_of(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string one_line(std::string_view text, std::size_t columns_max) {
  std::string line;
  std::size_t columns = 0;
  bool blank = false;
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    const std::string_view bytes = text.substr(position, step.bytes);
    position += step.bytes;
    if (step.code_point == ' ' || (step.code_point >= '\t' && step.code_point <= '\r')) {
      blank = !line.empty();
      continue;
    }
    const bool is_shown = step.valid && !acts_unseen(step.code_point);
    const std::string escape = is_shown ? "" : shown_field(bytes);
    const std::size_t width = (blank ? 1 : 0) + (is_shown ? 1 : escape.size());
    if (columns + width > columns_max) {
      line += "…";
      break;
    }
    if (blank) line.push_back(' ');
    blank = false;
    line += is_shown ? bytes : std::string_view(escape);
    columns += width;
  }
  return line;
}

std::string without_middle(std::string_view text, std::size_t columns_max) {
  std::vector<std::size_t> begins;
  for (std::size_t position = 0; position < text.size(); position += decode_utf8(text, position).bytes) {
    begins.push_back(position);
  }
  if (begins.size() <= columns_max) return std::string(text);
  const std::size_t after = (columns_max - 1) / 2;
  const std::size_t before = columns_max - 1 - after;
  return fmt::format("{}…{}", text.substr(0, begins[before]), text.substr(begins[begins.size() - after]));
}

}  // namespace tandem::cli
