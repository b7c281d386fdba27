// A page's files: its charts beside it.
#pragma once

#include <filesystem>

#include "report/page.h"
#include "tandem/result.h"

namespace tandem::cli {

/// Writes each chart of a page as "ID.svg" into a folder that exists, in place of what is there under that name.
Status write_charts(const std::filesystem::path& folder, const report::Page& page);

}  // namespace tandem::cli
