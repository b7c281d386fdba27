#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/controls.h"
#include "base/error.h"
#include "base/file.h"
#include "base/line_reader.h"
#include "base/strip.h"
#include "base/text_reader.h"
#include "base/utf8.h"
#include "tandem/corpus.h"

namespace tandem {
namespace {

constexpr std::size_t kListedMax = 10;

// Of a folder of texts. Every level that is open costs its whole path.
constexpr int kFolderDepthMax = 256;

// What the metadata of tables' rows may take, which repeat the names of columns: so much, and so many times what was
// read of the text. Common tables take less than twice, those of short cells under long names ten times.
constexpr std::uint64_t kMetadataBytesFree = std::uint64_t{16} << 20;
constexpr std::uint64_t kMetadataGrowthMax = 32;

/// The first of what is counted.
void keep_first(std::vector<std::string>& list, std::string entry) {
  if (list.size() < kListedMax) list.push_back(std::move(entry));
}

RecordKind documents_kind() { return {.noun = "document", .optional = {"title", "id"}, .blank_lines_count = false}; }

Result<Document> document_of(const TextReader& record) {
  Document document;
  if (!record.has_fields()) {
    document.text = record.line();
    return document;
  }
  ASSIGN_OR_RETURN(document.text, record.get_string("text"));
  ASSIGN_OR_RETURN(document.id, record.find_id());
  ASSIGN_OR_RETURN(const std::optional<std::string_view> title, record.find_string("title"));
  document.title = title.value_or("");
  ASSIGN_OR_RETURN(document.metadata, record.metadata());
  return document;
}

/// One file to read.
struct Source {
  std::string path;  // "-": standard input.
  std::string name;  // Stands for it in errors.
  // Of a file in a folder, which is one document: its id, the folder that was listed, and its path from there.
  std::string id = {};
  std::shared_ptr<const FileDescriptor> folder = {};
  std::filesystem::path inside = {};
  std::optional<std::uint64_t> size_bytes = {};  // Of a regular file.
};

Result<TextReader> open_records(const Source& source, const CorpusOptions& options) {
  return TextReader::open(source.path, source.name, documents_kind(), options.text, options.line_bytes_max);
}

/// Where a link leads, if that is inside `folder`, which has no links in it. Whoever made a folder decides what its
/// links lead to, and must not get the reader's other files into a collection.
std::optional<std::filesystem::path> target_inside(const std::filesystem::path& link,
                                                   const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::path target = std::filesystem::canonical(link, error);
  if (error || std::ranges::mismatch(folder, target).in1 != folder.end()) return std::nullopt;
  return target;
}

/// A file counts once, under the first of its names: a folder can be full of links to one that is large.
Status drop_other_names(std::vector<Source>& sources) {
  std::set<std::pair<dev_t, ino_t>> seen;
  std::vector<Source> once;
  for (Source& source : sources) {
    struct stat file {};
    if (::fstatat(source.folder->get(), source.inside.c_str(), &file, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(errno, "cannot look at the file", source.name);
    }
    if (seen.emplace(file.st_dev, file.st_ino).second) once.push_back(std::move(source));
  }
  sources = std::move(once);
  return {};
}

/// Whether a file of a folder is one document, by its name.
bool is_whole_document(const std::string& path) {
  const std::string name = in_lower_case(path);
  return std::ranges::any_of(std::to_array<std::string_view>({".txt", ".md", ".txt.gz", ".md.gz"}),
                             [&](std::string_view ending) { return name.ends_with(ending); });
}

/// What a folder gives to a corpus.
struct Listing {
  std::vector<Source> sources = {};
  std::set<std::string> passed_over = {};  // The first in order, with the reasons.
  std::size_t files_passed_over = 0;

  void pass_over(const std::filesystem::path& path, std::string_view reason) {
    ++files_passed_over;
    passed_over.insert(fmt::format("{}: {}", path.string(), reason));
    if (passed_over.size() > kListedMax) passed_over.erase(std::prev(passed_over.end()));
  }
};

// The .txt and .md files below a folder, in the order of their relative paths. Links to folders are not followed, so
// that a link to a folder above does not go round for ever, and neither are links to files outside the folder. A link
// to one of them inside adds nothing.
Result<Listing> list_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  Listing listing;
  std::vector<Source>& sources = listing.sources;
  ASSIGN_OR_RETURN(FileDescriptor opened, FileDescriptor::open(folder, O_PATH | O_DIRECTORY));
  const auto descriptor = std::make_shared<const FileDescriptor>(std::move(opened));
  std::error_code error;
  const fs::path whole_folder = fs::canonical(folder, error);
  if (error) return fail_errno(error.value(), "cannot find the folder", folder);
  std::vector<Source> links;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry.depth() >= kFolderDepthMax) {
      return fail(ErrorCode::kUnsupported, "{}: holds folders in folders {} deep, want fewer", folder, kFolderDepthMax);
    }
    const fs::path& path = entry->path();
    std::error_code not_there;  // A link that leads nowhere is no text.
    const bool is_link = entry->is_symlink(not_there);
    const bool is_folder = !is_link && entry->is_directory(not_there);
    if (path.filename().string().starts_with('.')) {
      if (is_folder) entry.disable_recursion_pending();
      listing.pass_over(path, "hidden");
      continue;
    }
    if (is_folder) continue;
    if (!is_whole_document(path.string())) {
      listing.pass_over(path, "not a .txt or .md file");
      continue;
    }
    if (!entry->is_regular_file(not_there)) {
      listing.pass_over(path, is_link ? "a link that leads to no file" : "not a regular file");
      continue;
    }
    const fs::path relative = path.lexically_relative(folder);
    Source source{.path = path.string(),
                  .name = path.string(),
                  .id = relative.generic_string(),
                  .folder = descriptor,
                  .inside = relative};
    if (is_link) {
      const std::optional<fs::path> target = target_inside(path, whole_folder);
      if (!target) {
        listing.pass_over(path, "a link that leads out of the folder");
        continue;
      }
      source.inside = target->lexically_relative(whole_folder);
    }
    if (Status named = check_name("document id", source.id); !named) return fail_in(folder, std::move(named).error());
    (is_link ? links : sources).push_back(std::move(source));
  }
  if (error) return fail_errno(error.value(), "cannot list the folder", folder);
  std::ranges::sort(sources, {}, &Source::id);
  std::ranges::sort(links, {}, &Source::id);
  std::ranges::move(links, std::back_inserter(sources));
  RETURN_IF_ERROR(drop_other_names(sources));
  if (sources.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "{}: the folder has no .txt or .md file; links that lead out of it do not count{}", folder,
                listing.passed_over.empty() ? "" : fmt::format("; passed over: {}", *listing.passed_over.begin()));
  }
  std::ranges::sort(sources, {}, &Source::id);
  return listing;
}

/// An error for a file that is not read at all. Better now than after an hour of embedding the files before it.
Status check_begin(const Source& source, const CorpusOptions& options) {
  ASSIGN_OR_RETURN(TextReader records, open_records(source, options));
  const Result<bool> first = records.advance();
  if (!first && first.error().code != ErrorCode::kCorruptData) return tl::unexpected(first.error());
  return {};
}

Result<std::vector<Source>> list_sources(const std::vector<std::string>& paths, const CorpusOptions& options,
                                         CorpusReport& report) {
  if (paths.empty()) return fail(ErrorCode::kInvalidArgument, "no file to read documents from");
  std::vector<Source> sources;
  for (const std::string& path : paths) {
    std::error_code no_folder;
    if (path == "-") {
      sources.push_back({.path = path, .name = "standard input"});
    } else if (std::filesystem::is_directory(path, no_folder)) {
      ASSIGN_OR_RETURN(Listing listing, list_folder(path));
      std::ranges::move(listing.sources, std::back_inserter(sources));
      report.files_passed_over += listing.files_passed_over;
      for (const std::string& entry : listing.passed_over) keep_first(report.passed_over, entry);
    } else {
      sources.push_back({.path = path, .name = path});
    }
  }
  for (Source& source : sources) {
    if (source.path == "-") continue;
    struct stat status {};
    if (::stat(source.path.c_str(), &status) != 0 ||
        ::faccessat(AT_FDCWD, source.path.c_str(), R_OK, AT_EACCESS) != 0) {
      return fail_errno(errno, "cannot open", source.path);
    }
    if (!S_ISREG(status.st_mode)) continue;
    source.size_bytes = static_cast<std::uint64_t>(status.st_size);
    if (!source.folder) RETURN_IF_ERROR(check_begin(source, options));
  }
  return sources;
}

}  // namespace

class CorpusReader::Impl {
 public:
  Impl(std::vector<Source> sources, const CorpusOptions& options, CorpusReport report)
      : options_(options), sources_(std::move(sources)), report_(std::move(report)) {}

  Result<std::optional<Document>> next() {
    while (position_ < sources_.size()) {
      Result<std::optional<Document>> document = source().folder ? next_whole_file() : next_record();
      if (!document) {
        if (!options_.skip_bad_lines || document.error().code != ErrorCode::kCorruptData) return document;
        // A record of a table can have many lines, and an open quote takes all that follow.
        report_.lines_skipped += records_ ? records_->record_lines() : 1;
        keep_first(report_.skipped_errors, document.error().message);
      } else if (*document) {
        ++documents_;
        if ((*document)->id.empty()) (*document)->id = fmt::format("{}", documents_);
        if (strip((*document)->title).empty() && strip((*document)->text).empty()) ++report_.documents_blank;
        return document;
      } else {
        finish_source();
      }
    }
    return std::optional<Document>();
  }

  std::uint64_t bytes_total() const {
    std::uint64_t total = 0;
    for (const Source& source : sources_) {
      if (!source.size_bytes) return 0;
      total += *source.size_bytes;
    }
    return total;
  }
  std::uint64_t bytes_read() const { return bytes_of_finished_ + (records_ ? records_->file_bytes_read() : 0); }
  const CorpusReport& report() const { return report_; }

 private:
  using NextDocument = Result<std::optional<Document>>;

  const Source& source() const { return sources_[position_]; }

  void finish_source() {
    // Not what was read: the rest of a file that is too long is left alone.
    bytes_of_finished_ += source().size_bytes.value_or(records_ ? records_->file_bytes_read() : 0);
    if (records_) text_bytes_of_finished_ += records_->text_bytes_read();
    records_.reset();
    whole_file_read_ = false;
    ++position_;
  }

  NextDocument next_record() {
    if (!records_) {
      ASSIGN_OR_RETURN(records_, open_records(source(), options_));
    }
    const std::size_t not_utf8_before = records_->records_not_utf8();
    ASSIGN_OR_RETURN(const bool more, records_->advance());
    if (!more) return std::optional<Document>();
    if (records_->records() == 1 && !records_->finding().empty()) keep_first(report_.findings, records_->finding());
    Result<Document> document = document_of(*records_);
    if (!document) return records_->fail_here(std::move(document).error());
    RETURN_IF_ERROR(count_metadata(*document));
    report_.documents_not_utf8 += records_->records_not_utf8() - not_utf8_before;
    return std::move(*document);
  }

  Status count_metadata(const Document& document) {
    if (records_->json()) return {};
    metadata_bytes_ += document.metadata.size();
    const std::uint64_t bytes_read = text_bytes_of_finished_ + records_->text_bytes_read();
    if (metadata_bytes_ <= kMetadataBytesFree + kMetadataGrowthMax * bytes_read) return {};
    return records_->fail_here(
        {ErrorCode::kInvalidArgument,
         fmt::format(
             "its columns and their names make {} bytes of metadata of {} bytes that were read, want at most {} "
             "times as many: shorter names, or fewer columns",
             metadata_bytes_, bytes_read, kMetadataGrowthMax)});
  }

  NextDocument next_whole_file() {
    if (std::exchange(whole_file_read_, true)) return std::optional<Document>();
    Document document{.id = source().id, .title = "", .text = "", .metadata = ""};
    const Status read = read_whole_file(document.text);
    if (!read && read.error().code == ErrorCode::kUnsupported) {
      ++report_.files_passed_over;
      keep_first(report_.passed_over, read.error().message);
      return std::optional<Document>();
    }
    RETURN_IF_ERROR(read);
    if (!is_utf8(document.text)) ++report_.documents_not_utf8;
    return document;
  }

  Status read_whole_file(std::string& text) {
    // Hours may have passed since the folder was listed, and whoever made it may have put a link there.
    ASSIGN_OR_RETURN(FileDescriptor file,
                     FileDescriptor::open_beneath(*source().folder, source().inside, source().name));
    LineReader lines(std::move(file), source().name, options_.line_bytes_max);
    for (;;) {
      Result<std::optional<std::string_view>> line = lines.next();
      if (!line && line.error().code == ErrorCode::kCorruptData) {
        return fail_in(fmt::format("{}:{}", source().name, lines.line_number()), std::move(line).error());
      }
      if (!line) return tl::unexpected(std::move(line).error());
      if (!*line) return {};
      text.append(without_carriage_return(**line)).push_back('\n');
      if (text.size() > options_.line_bytes_max) {
        return fail(ErrorCode::kCorruptData, "{}: the text is longer than {} bytes", source().name,
                    options_.line_bytes_max);
      }
    }
  }

  const CorpusOptions options_;
  const std::vector<Source> sources_;

  std::size_t position_ = 0;  // The source that is being read.
  std::optional<TextReader> records_;
  bool whole_file_read_ = false;

  std::size_t documents_ = 0;
  std::uint64_t metadata_bytes_ = 0;  // Of tables.
  std::uint64_t bytes_of_finished_ = 0;
  std::uint64_t text_bytes_of_finished_ = 0;
  CorpusReport report_;
};

CorpusReader::CorpusReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CorpusReader::CorpusReader(CorpusReader&&) noexcept = default;
CorpusReader& CorpusReader::operator=(CorpusReader&&) noexcept = default;
CorpusReader::~CorpusReader() = default;

Result<CorpusReader> CorpusReader::open(std::vector<std::string> paths, const CorpusOptions& options) {
  CorpusReport report;
  ASSIGN_OR_RETURN(std::vector<Source> sources, list_sources(paths, options, report));
  return CorpusReader(std::make_unique<Impl>(std::move(sources), options, std::move(report)));
}

Result<std::optional<Document>> CorpusReader::next() { return impl_->next(); }
std::uint64_t CorpusReader::bytes_total() const { return impl_->bytes_total(); }
std::uint64_t CorpusReader::bytes_read() const { return impl_->bytes_read(); }
const CorpusReport& CorpusReader::report() const { return impl_->report(); }

}  // namespace tandem
