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
  return ModelTokenizer{.tokenizer = std::move(tokenizer),
                        .options = {.tokens_max = max_tokens(config, spec.usable_positions())}};
}

}  // namespace tandem
