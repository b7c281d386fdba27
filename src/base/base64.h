// Base64 (RFC 4648, section 4), as JSON carries bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tandem {

/// `bytes` in base64, padded.
std::string encode_base64(std::string_view bytes);

/// The bytes that `text` stands for. Nothing, if it is not base64 with its padding.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace tandem
