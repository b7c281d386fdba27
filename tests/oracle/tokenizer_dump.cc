// Encodes what tests/oracle/tokenizer_parity.py asks for.
//
//   tokenizer_dump FOLDER < requests > answers
//
// A request is a JSON line {"first": "hex", "second": "hex" | null, "tokens_max": n, "strategy": "longest_first" |
// "only_first" | "only_second", "side": "right" | "left", "special": bool, "split_special": bool, "unit": "none" |
// "bytes" | "chars"}, its answer {"ids": […], "type_ids": […], "offsets": [begin, end, …], "dropped": n}.
#include <cstdio>
#include <iostream>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "tandem/tokenizer.h"

namespace tandem {
namespace {

/// Texts come as hexadecimal bytes, since not all of them are UTF-8.
std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t index = 0; index + 1 < hex.size(); index += 2) {
    bytes.push_back(static_cast<char>(digit(hex[index]) << 4 | digit(hex[index + 1])));
  }
  return bytes;
}

Result<std::string> answer(const Tokenizer& tokenizer, JsonValue request) {
  EncodeOptions options;
  ASSIGN_OR_RETURN(const auto first, request.get_string("first"));
  ASSIGN_OR_RETURN(const auto second, request.find_string("second"));
  ASSIGN_OR_RETURN(options.tokens_max, request.get_unsigned("tokens_max"));
  ASSIGN_OR_RETURN(options.add_special_tokens, request.get_bool("special"));
  ASSIGN_OR_RETURN(options.split_special_tokens, request.get_bool("split_special"));
  ASSIGN_OR_RETURN(const auto strategy, request.get_string("strategy"));
  ASSIGN_OR_RETURN(const auto side, request.get_string("side"));
  ASSIGN_OR_RETURN(const auto unit, request.get_string("unit"));
  options.truncation = strategy == "only_first"    ? TruncationStrategy::kOnlyFirst
                       : strategy == "only_second" ? TruncationStrategy::kOnlySecond
                                                   : TruncationStrategy::kLongestFirst;
  options.truncation_side = side == "left" ? TruncationSide::kLeft : TruncationSide::kRight;
  options.offsets = unit == "chars"   ? OffsetUnit::kCodePoints
                    : unit == "bytes" ? OffsetUnit::kBytes
                                      : OffsetUnit::kNone;
  const Encoding encoding = second ? tokenizer.encode(from_hex(first), from_hex(*second), options)
                                   : tokenizer.encode(from_hex(first), options);

  JsonWriter json;
  json.begin_object().key("ids").begin_array();
  for (const std::int32_t id : encoding.ids) json.value(id);
  json.end_array().key("type_ids").begin_array();
  for (const std::int32_t id : encoding.type_ids) json.value(id);
  json.end_array().key("offsets").begin_array();
  for (const Offset offset : encoding.offsets) {
    json.value(std::uint64_t{offset.begin}).value(std::uint64_t{offset.end});
  }
  json.end_array().key("dropped").value(std::uint64_t{encoding.tokens_dropped}).end_object();
  return json.take();
}

Status run(const char* folder) {
  ASSIGN_OR_RETURN(const Tokenizer tokenizer, Tokenizer::open(folder));
  JsonLineParser parser("request");
  for (std::string line; std::getline(std::cin, line);) {
    ASSIGN_OR_RETURN(const JsonValue request, parser.parse(line));
    ASSIGN_OR_RETURN(const std::string text, answer(tokenizer, request));
    std::cout << text << '\n';
  }
  return {};
}

}  // namespace
}  // namespace tandem

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  if (argc != 2) {
    std::cerr << "usage: tokenizer_dump FOLDER < requests > answers\n";
    return 2;
  }
  const tandem::Status status = tandem::run(argv[1]);
  if (!status) std::cerr << status.error().message << '\n';
  return status ? 0 : 1;
}
