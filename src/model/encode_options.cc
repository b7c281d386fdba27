#include "base/error.h"
#include "formats/model_config.h"
#include "model/encoder_spec.h"
#include "tandem/tokenizer.h"

namespace tandem {

Result<EncodeOptions> model_encode_options(const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(const ModelConfig config, read_model_config(folder));
  ASSIGN_OR_RETURN(const EncoderSpec spec, make_encoder_spec(config.transformer, ModelTask::kEmbed));
  return EncodeOptions{.tokens_max = max_tokens(config, spec.usable_positions())};
}

}  // namespace tandem
