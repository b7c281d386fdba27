#include "tokenizer/model.h"

#include <utility>

namespace tandem {
namespace {

using AnyModel = std::variant<WordPiece, Bpe, Unigram>;

AnyModel make_model(ModelSpec spec, bool reads_bytes) {
  struct Maker {
    bool reads_bytes;
    AnyModel operator()(WordPieceSpec&& spec) const { return WordPiece(spec); }
    AnyModel operator()(BpeSpec&& spec) const { return Bpe(spec, reads_bytes); }
    AnyModel operator()(UnigramSpec&& spec) const { return Unigram(std::move(spec)); }
  };
  return std::visit(Maker{reads_bytes}, std::move(spec));
}

}  // namespace

Model::Model(ModelSpec spec, bool reads_bytes) : model_(make_model(std::move(spec), reads_bytes)) {}

std::string_view Model::value(const WordToken& token, std::string_view word) const {
  const auto* unigram = std::get_if<Unigram>(&model_);
  if (unigram != nullptr && token.id == unigram->unknown_id()) return word.substr(token.begin, token.end - token.begin);
  return vocabulary().spelling(token.id);
}

}  // namespace tandem
