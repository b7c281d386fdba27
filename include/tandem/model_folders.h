// Where the parts of an encoder lie.
#pragma once

#include <filesystem>
#include <optional>

namespace tandem {

/// A model, and the adapter that runs in it.
struct ModelFolders {
  std::filesystem::path model;
  std::optional<std::filesystem::path> adapter;
};

}  // namespace tandem
