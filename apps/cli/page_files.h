// Where a page of findings goes: one HTML file, its charts beside it, or both.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "report/page.h"
#include "tandem/result.h"

namespace tandem::cli {

/// What --report and --svg name. Empty: not asked for.
class PageFiles {
 public:
  /// Makes the folder of --svg. What cannot be written is known now, before anything is measured. Errors:
  /// kInvalidArgument for a report that would replace one of the `inputs`, or a folder that is a file; those of
  /// writing.
  static Result<PageFiles> prepare(const std::string& report, const std::string& svg,
                                   std::span<const std::string> inputs);

  bool wanted() const { return !report_.empty() || !svg_.empty(); }
  /// Each file in place of what is there under its name; a chart is "ID.svg".
  Status write(const report::Page& page) const;

 private:
  std::filesystem::path report_;
  std::filesystem::path svg_;
};

}  // namespace tandem::cli
