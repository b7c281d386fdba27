// The sample data that comes with Tandem: examples/data.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tandem/result.h"

namespace tandem::cli {

/// The path of a sample file, looked up in $TANDEM_EXAMPLES, then in the share folder that belongs to this program, in
/// its installation as in the build folder. Errors: kNotFound.
Result<std::filesystem::path> sample_file(const std::string& name);

/// The texts of a sample file, one per line of JSON.
Result<std::vector<std::string>> sample_texts(const std::string& name);

}  // namespace tandem::cli
