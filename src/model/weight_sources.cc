#include "model/weight_sources.h"

#include <set>
#include <variant>

#include "base/error.h"

namespace tandem {

// A file would take its size again for every name that leads to it, and a folder can be full of links to one.
Result<ModuleTensors> open_modules(const ModelConfig& config) {
  ModuleTensors result;
  std::set<FileIdentity> opened;
  for (const Module& module : config.modules) {
    std::optional<TensorSource>& tensors = result.emplace_back();
    std::filesystem::path folder;
    if (const auto* dense = std::get_if<DenseModule>(&module)) folder = dense->folder;
    if (const auto* layer_norm = std::get_if<LayerNormModule>(&module)) folder = layer_norm->folder;
    if (folder.empty()) continue;
    ASSIGN_OR_RETURN(tensors, TensorSource::open_folder(folder));
    for (const FileIdentity& file : tensors->identities()) {
      if (opened.insert(file).second) continue;
      return fail(ErrorCode::kUnsupported, "{}: another module has these weights", folder.string());
    }
  }
  return result;
}

}  // namespace tandem
