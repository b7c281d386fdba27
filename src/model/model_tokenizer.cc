#include "base/error.h"
#include "formats/model_config.h"
#include "model/encoder_spec.h"
#include "tandem/tokenizer.h"

namespace tandem {

Result<ModelTokenizer> open_model_tokenizer(const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(const ModelConfig config, read_model_config(folder));
  ASSIGN_OR_RETURN(const EncoderSpec spec, make_encoder_spec(config.transformer, ModelTask::kEmbed));
  ASSIGN_OR_RETURN(Tokenizer tokenizer,
                   Tokenizer::open(config.transformer_folder, {.lower_case = config.do_lower_case}));
  const std::size_t tokens = max_tokens(config, spec.usable_positions());
  if (const std::size_t special_tokens = tokenizer.layout(false).special_tokens; tokens <= special_tokens) {
    return fail(ErrorCode::kConflict,
                "{}: the model reads {} tokens (max_position_embeddings), and the tokenizer puts {} around each text",
                folder.string(), tokens, special_tokens);
  }
  EncodeOptions options = tokenizer.declared_options();
  options.tokens_max = tokens;
  return ModelTokenizer{.tokenizer = std::move(tokenizer), .options = options};
}

}  // namespace tandem
