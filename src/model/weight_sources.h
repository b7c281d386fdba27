// The files that an encoder's weights are read from.
#pragma once

#include <optional>
#include <vector>

#include "formats/model_config.h"
#include "formats/tensor_source.h"
#include "model/adapter.h"
#include "tandem/result.h"

namespace tandem {

/// The tensors of the modules that have some; one element for each module.
using ModuleTensors = std::vector<std::optional<TensorSource>>;

/// What an encoder's weights are read from.
struct WeightSources {
  TensorSource tensors;
  std::optional<AdapterSource> adapter;
  ModuleTensors modules;
};

/// Opens the tensors of modules, each file once. Errors: those of TensorSource; kUnsupported for two modules of one
/// file.
Result<ModuleTensors> open_modules(const ModelConfig& config);

}  // namespace tandem
