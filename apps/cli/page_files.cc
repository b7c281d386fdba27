#include "page_files.h"

#include <span>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace tandem::cli {

Status write_charts(const std::filesystem::path& folder, const report::Page& page) {
  const auto write = [&folder](const auto& chart) -> Status {
    const std::string svg = report::to_svg(chart);
    ASSIGN_OR_RETURN(ReplacementFile file, ReplacementFile::create(folder / (chart.id + ".svg")));
    RETURN_IF_ERROR(file.append(std::as_bytes(std::span(svg))));
    return file.commit();
  };
  for (const report::Section& section : page.sections) {
    for (const report::XyChart& chart : section.xy_charts) RETURN_IF_ERROR(write(chart));
    for (const report::StackedBarChart& chart : section.bar_charts) RETURN_IF_ERROR(write(chart));
  }
  return {};
}

}  // namespace tandem::cli
