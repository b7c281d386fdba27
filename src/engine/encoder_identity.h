// What makes two encoders the same: the bytes that they are read from, and the settings that bytes do not tell.
#pragma once

#include <string>

#include "formats/model_config.h"
#include "model/encoder_spec.h"
#include "model/weight_sources.h"
#include "tandem/call.h"
#include "tandem/result.h"
#include "tandem/tokenizer.h"

namespace tandem {

/// "sha256:…" over the weights, an adapter's and modules' too, and the tokenizer's files. The first collections hold
/// such hashes, so that what goes into one never changes. Errors: those of reading, and of `call`.
Result<std::string> hash_weights(const ModelConfig& config, const EncoderSpec& spec, const WeightSources& sources,
                                 const CallOptions& call);

/// The settings that decide what comes out and that no identity has a field for, in words, e.g. "activation gelu, norm
/// epsilon 1e-12, …, tokenizer lower-cases". Two encoders of the same weights and settings give the same.
std::string describe_settings(const ModelConfig& config, const EncoderSpec& spec, const WeightSources& sources,
                              const Tokenizer& tokenizer);

}  // namespace tandem
