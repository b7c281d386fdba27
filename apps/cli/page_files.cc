#include "page_files.h"

#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "input.h"

namespace tandem::cli {

namespace {

Status write_all(Result<ReplacementFile> created, std::string_view content) {
  ASSIGN_OR_RETURN(ReplacementFile file, std::move(created));
  RETURN_IF_ERROR(file.append(std::as_bytes(std::span(content))));
  return file.commit();
}

}  // namespace

Result<PageFiles> PageFiles::prepare(const std::string& report, const std::string& svg,
                                     std::span<const std::string> inputs) {
  RETURN_IF_ERROR(check_is_no_input("--report", report, inputs));
  PageFiles files;
  files.report_ = report;
  files.svg_ = svg;
  if (!svg.empty()) {
    for (const std::string& input : inputs) {
      const std::filesystem::path same_name = std::filesystem::path(svg) / std::filesystem::path(input).filename();
      if (same_name.extension() == ".svg") RETURN_IF_ERROR(check_is_no_input("--svg", same_name, {&input, 1}));
    }
    std::error_code error;
    std::filesystem::create_directories(svg, error);
    if (error) return fail_errno(error.value(), "cannot make the folder", svg);
    if (!std::filesystem::is_directory(svg, error)) {
      return fail(ErrorCode::kInvalidArgument, "--svg {}: is a file, want a folder", svg);
    }
    // What a chart would not replace in the end is better known now.
    for (std::filesystem::directory_iterator entry(svg, error), end; !error && entry != end; entry.increment(error)) {
      const std::filesystem::path& path = entry->path();
      if (path.extension() == ".svg") RETURN_IF_ERROR(ReplacementFile::create_in(svg, path.filename().string()));
    }
  }
  // Made and thrown away: an interrupt while measuring leaves nothing behind.
  if (!report.empty()) RETURN_IF_ERROR(ReplacementFile::create(report));
  return files;
}

Status PageFiles::write(const report::Page& page) const {
  if (!report_.empty()) RETURN_IF_ERROR(write_all(ReplacementFile::create(report_), report::to_html(page)));
  if (svg_.empty()) return {};
  const auto write_chart = [this](const auto& chart) {
    return write_all(ReplacementFile::create_in(svg_, chart.id + ".svg"), report::to_svg(chart));
  };
  for (const report::Section& section : page.sections) {
    for (const report::XyChart& chart : section.xy_charts) RETURN_IF_ERROR(write_chart(chart));
    for (const report::StackedBarChart& chart : section.bar_charts) RETURN_IF_ERROR(write_chart(chart));
  }
  return {};
}

}  // namespace tandem::cli
