#include "formats/sentencepiece_model.h"

#include <bit>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "formats/protobuf_reader.h"
#include "formats/tokenizer_checks.h"

namespace tandem {
namespace {

constexpr std::uint64_t kUnigram = 1;

Result<SentencePiece> read_piece(const ProtobufField& message, std::string_view name) {
  SentencePiece piece;
  ProtobufReader reader(message.bytes);
  while (!reader.at_end()) {
    ASSIGN_OR_RETURN(const ProtobufField field, reader.next());
    if (field.number == 1) piece.spelling = field.text();
    if (field.number == 2) piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.number_value));
    if (field.number == 3) {
      piece.is_control = field.number_value == 3;
      piece.is_user_defined = field.number_value == 4;
    }
  }
  RETURN_IF_ERROR(check_spelling(piece.spelling, name));
  if (!is_utf8(piece.spelling)) return fail(ErrorCode::kCorruptData, "{}: a piece is not UTF-8", name);
  if (!std::isfinite(piece.score)) {
    return fail(ErrorCode::kCorruptData, "{}: piece '{}' has the score {}, want a finite number", name, piece.spelling,
                piece.score);
  }
  return piece;
}

Status check_trainer(const ProtobufField& message, std::string_view name) {
  ProtobufReader reader(message.bytes);
  while (!reader.at_end()) {
    ASSIGN_OR_RETURN(const ProtobufField field, reader.next());
    if (field.number == 3 && field.number_value != kUnigram) {
      return fail(ErrorCode::kUnsupported, "{}: model_type {} is not supported, want {} (unigram)", name,
                  field.number_value, kUnigram);
    }
    if (field.number == 35 && field.number_value != 0) {
      return fail(ErrorCode::kUnsupported, "{}: byte_fallback is not supported here", name);
    }
  }
  return {};
}

Result<std::shared_ptr<const Charsmap>> read_charsmap(const ProtobufField& message, std::string_view name) {
  std::string_view table;
  ProtobufReader reader(message.bytes);
  while (!reader.at_end()) {
    ASSIGN_OR_RETURN(const ProtobufField field, reader.next());
    if (field.number == 2) table = field.text();
  }
  if (table.empty()) return nullptr;
  ASSIGN_OR_RETURN(Charsmap charsmap, parse_charsmap(table, fmt::format("{}: precompiled_charsmap", name)));
  return std::make_shared<const Charsmap>(std::move(charsmap));
}

Result<SentencePieceModel> read_model(std::span<const std::byte> bytes, std::string_view name) {
  SentencePieceModel model;
  ProtobufReader reader(bytes);
  while (!reader.at_end()) {
    ASSIGN_OR_RETURN(const ProtobufField field, reader.next());
    if (!field.is_bytes) continue;
    if (field.number == 1) {
      if (model.pieces.size() >= kTokenIdsMax) {
        return fail(ErrorCode::kCorruptData, "{}: more than {} pieces", name, kTokenIdsMax);
      }
      ASSIGN_OR_RETURN(model.pieces.emplace_back(), read_piece(field, name));
    } else if (field.number == 2) {
      RETURN_IF_ERROR(check_trainer(field, name));
    } else if (field.number == 3) {
      ASSIGN_OR_RETURN(model.charsmap, read_charsmap(field, name));
    }
  }
  if (model.pieces.empty()) return fail(ErrorCode::kCorruptData, "{}: no pieces, want a SentencePiece model", name);
  return model;
}

}  // namespace

Result<SentencePieceModel> read_sentencepiece_model(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string file, read_small_file(path, kTokenizerFileBytesMax));
  return parse_sentencepiece_model(std::as_bytes(std::span(file)), path.string());
}

Result<SentencePieceModel> parse_sentencepiece_model(std::span<const std::byte> bytes, std::string_view name) {
  auto model = read_model(bytes, name);
  // What the reader of protocol buffers says does not name the file.
  if (!model && !model.error().message.starts_with(name)) return fail_in(name, std::move(model.error()));
  return model;
}

}  // namespace tandem
