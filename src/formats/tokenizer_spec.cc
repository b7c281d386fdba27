#include "formats/tokenizer_spec.h"

namespace tandem {
namespace {

using Kind = TemplatePiece::Kind;

TemplatePiece special(std::int32_t id, std::int32_t type_id) { return {Kind::kSpecialTokens, {id}, type_id}; }

}  // namespace

TemplateSpec bert_template(std::int32_t cls_id, std::int32_t sep_id) {
  TemplateSpec spec;
  spec.single = {special(cls_id, 0), {Kind::kFirstText, {}, 0}, special(sep_id, 0)};
  spec.pair = spec.single;
  spec.pair.insert(spec.pair.end(), {{Kind::kSecondText, {}, 1}, special(sep_id, 1)});
  return spec;
}

TemplateSpec roberta_template(std::int32_t cls_id, std::int32_t sep_id) {
  TemplateSpec spec;
  spec.single = {special(cls_id, 0), {Kind::kFirstText, {}, 0}, special(sep_id, 0)};
  spec.pair = spec.single;
  spec.pair.insert(spec.pair.end(), {special(sep_id, 0), {Kind::kSecondText, {}, 0}, special(sep_id, 0)});
  return spec;
}

}  // namespace tandem
