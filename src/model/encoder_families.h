// The families of encoders: one short function each, from config.json to what its checkpoints look like.
//
// A family fills in names, positions, token types and head; sizes that every config.json has are set by
// make_encoder_spec(). A new family is a function here and a row in the table of encoder_families.cc.
#pragma once

#include <string_view>

#include "formats/model_config.h"
#include "model/encoder_spec.h"

namespace tandem {

using FamilySpec = EncoderSpec (*)(const TransformerConfig& config);

/// Null for a model_type that is not run.
FamilySpec find_family(std::string_view model_type);

/// "bert, distilbert, …", for errors.
std::string_view family_names();

}  // namespace tandem
