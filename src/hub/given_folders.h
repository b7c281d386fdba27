// Folders that the user gave for an encoder. A collection holds no path to its encoder, which would mean something
// else, or somebody else's choice, on another machine: it holds the hash of the weights, and the store of this user
// knows where these were last seen.
//
//   HOME/given/HASH.json    {"format": 1, "model": "/folder", "adapter": "/folder"}
//
// HASH is the hexadecimal part of BiEncoderIdentity::weights_hash, so that nothing that data says gets into a path.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "tandem/model_store.h"
#include "tandem/result.h"

namespace tandem {

/// Keeps the canonical paths of these folders, in place of what was kept for the same weights. Errors: kNotFound (no
/// such folder), kInvalidArgument (no hash of weights), kUnsupported (a path that is not UTF-8), kPermission, kNoSpace,
/// kIo.
Status keep_given_folders(const std::filesystem::path& home, std::string_view weights_hash,
                          const ModelFolders& folders);

/// Nothing where none were kept. They may be no more.
std::optional<ModelFolders> find_given_folders(const std::filesystem::path& home, std::string_view weights_hash);

bool are_here(const ModelFolders& folders);

}  // namespace tandem
