// Steps through protocol buffers, which ONNX and SentencePiece write, without their schemas.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/error.h"

namespace tandem {

/// One field of a protocol buffers message. https://protobuf.dev/programming-guides/encoding
struct ProtobufField {
  std::uint64_t number = 0;
  bool is_bytes = false;           ///< A string, a message or packed numbers; otherwise one number.
  std::uint64_t number_value = 0;  ///< Of a varint, fixed32 or fixed64.
  std::span<const std::byte> bytes;

  std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

/// Steps through the fields of a message.
class ProtobufReader {
 public:
  explicit ProtobufReader(std::span<const std::byte> message) : rest_(message) {}

  bool at_end() const { return rest_.empty(); }

  Result<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(rest_.front());
      rest_ = rest_.subspan(1);
      value |= (byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return fail(ErrorCode::kCorruptData, "not protocol buffers: a number that does not end");
  }

  Result<ProtobufField> next() {
    ASSIGN_OR_RETURN(const std::uint64_t tag, varint());
    ProtobufField field;
    field.number = tag >> 3;
    switch (tag & 7) {
      case 0: {
        ASSIGN_OR_RETURN(field.number_value, varint());
        return field;
      }
      case 1: {
        ASSIGN_OR_RETURN(const auto bytes, take(8));
        std::memcpy(&field.number_value, bytes.data(), bytes.size());
        return field;
      }
      case 2: {
        ASSIGN_OR_RETURN(const std::uint64_t size, varint());
        field.is_bytes = true;
        ASSIGN_OR_RETURN(field.bytes, take(size));
        return field;
      }
      case 5: {
        ASSIGN_OR_RETURN(const auto bytes, take(4));
        std::memcpy(&field.number_value, bytes.data(), bytes.size());
        return field;
      }
      default:
        return fail(ErrorCode::kCorruptData, "not protocol buffers: wire type {}", tag & 7);
    }
  }

 private:
  Result<std::span<const std::byte>> take(std::uint64_t size) {
    if (size > rest_.size()) {
      return fail(ErrorCode::kCorruptData, "not protocol buffers, or cut: a field of {} bytes where {} are left", size,
                  rest_.size());
    }
    const auto bytes = rest_.first(size);
    rest_ = rest_.subspan(size);
    return bytes;
  }

  std::span<const std::byte> rest_;
};

}  // namespace tandem
