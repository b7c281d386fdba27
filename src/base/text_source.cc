#include "base/text_source.h"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tandem {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kGzip = "\x1F\x8B";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// As many as any magic number takes; a tar archive's is far behind, and looked for where a file gives so much at once.
constexpr std::size_t kStartBytes = 16;
constexpr std::size_t kStartBytesMax = 512;

struct Magic {
  std::string_view bytes;
  std::string_view what;
  std::string_view advice;
  bool is_ascii = false;  // A text can begin so too: then something in the start must be no text.
};

constexpr std::string_view kUnpack = "unpack it first";
constexpr std::string_view kDecompress = "decompress it first";
constexpr std::string_view kExtract = "extract its text first";
constexpr std::string_view kAsJson = "write it as JSON lines first";
constexpr std::string_view kIsNoText = "want text";

// https://en.wikipedia.org/wiki/List_of_file_signatures
constexpr auto kMagics = std::to_array<Magic>({
    {"PK\x03\x04"sv, "a zip archive or an office document (docx, xlsx)", "unpack it or extract its text first"},
    {"PK\x05\x06"sv, "an empty zip archive", kUnpack},
    {"PK\x07\x08"sv, "a zip archive", kUnpack},
    {"\x28\xB5\x2F\xFD"sv, "compressed with zstd", kDecompress},
    {"\xFD\x37zXZ\0"sv, "compressed with xz", kDecompress},
    {"BZh"sv, "compressed with bzip2", kDecompress, true},
    {"\x04\x22\x4D\x18"sv, "compressed with lz4", kDecompress},
    {"\x1F\x9D"sv, "compressed with compress", kDecompress},
    {"7z\xBC\xAF\x27\x1C"sv, "a 7z archive", kUnpack},
    {"Rar!\x1A\x07"sv, "a RAR archive", kUnpack},
    {"%PDF-"sv, "a PDF document", kExtract},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "an office document (doc, xls, ppt)", kExtract},
    {"{\\rtf"sv, "an RTF document", kExtract},
    {"PAR1"sv, "a Parquet file", kAsJson, true},
    {"ARROW1"sv, "an Arrow or Feather file", kAsJson, true},
    {"FEA1"sv, "a Feather file", kAsJson, true},
    {"Obj\x01"sv, "an Avro file", kAsJson},
    {"ORC"sv, "an ORC file", kAsJson, true},
    {"SQLite format 3\0"sv, "an SQLite database", kAsJson},
    {"\x89HDF"sv, "an HDF5 file", kAsJson},
    {"\x93NUMPY"sv, "a NumPy array", kIsNoText},
    {"\x7F"
     "ELF"sv,
     "a program", kIsNoText},
    {"\x89PNG"sv, "a PNG image", kIsNoText},
    {"\xFF\xD8\xFF"sv, "a JPEG image", kIsNoText},
    {"GIF8"sv, "a GIF image", kIsNoText, true},
    {"RIFF"sv, "an image, a sound or a film (RIFF)", kIsNoText, true},
    {"II*\0"sv, "a TIFF image", kIsNoText},
    {"MM\0*"sv, "a TIFF image", kIsNoText},
    {"version https://git-lfs.github.com/spec/"sv, "the pointer of a file in Git LFS", "git lfs pull fetches the file"},
});

bool is_no_text(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return byte < '\t' || (byte > '\r' && byte < ' ');
}

constexpr std::string_view kTarMagic = "ustar";
constexpr std::size_t kTarMagicPosition = 257;

// https://www.unicode.org/faq/utf_bom.html#bom4
std::optional<std::string_view> wide_encoding_of(std::string_view start) {
  if (start.starts_with("\xFF\xFE\0\0"sv)) return "UTF-32";
  if (start.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) return "UTF-16";
  return std::nullopt;
}

/// Refuses what does not begin as text does.
Status check_is_text(std::string_view start, const std::string& name) {
  if (const std::optional<std::string_view> encoding = wide_encoding_of(start)) {
    return fail(ErrorCode::kUnsupported, "{}: the text is {}, want UTF-8: iconv -f {} -t UTF-8 makes it so", name,
                *encoding, *encoding);
  }
  if (start.starts_with(kGzip)) {
    return fail(ErrorCode::kUnsupported, "{}: is compressed with gzip twice: {}", name, kDecompress);
  }
  const bool is_binary = std::ranges::any_of(start, is_no_text);
  for (const Magic& magic : kMagics) {
    if (!start.starts_with(magic.bytes) || (magic.is_ascii && !is_binary)) continue;
    return fail(ErrorCode::kUnsupported, "{}: is {}, which is not read: {}", name, magic.what, magic.advice);
  }
  if (start.size() > kTarMagicPosition && start.substr(kTarMagicPosition).starts_with(kTarMagic)) {
    return fail(ErrorCode::kUnsupported, "{}: is a tar archive, which is not read: {}", name, kUnpack);
  }
  return {};
}

}  // namespace

/// Gzip as RFC 1952 describes it: https://www.rfc-editor.org/rfc/rfc1952
class TextSource::Inflater {
 public:
  /// `start`: what was read of the file already.
  static Result<std::unique_ptr<Inflater>> create(std::string_view start, const std::string& name) {
    auto inflater = std::make_unique<Inflater>();
    constexpr int kGzipOnly = 16;
    if (::inflateInit2(&inflater->stream_, MAX_WBITS + kGzipOnly) != Z_OK) {
      return fail(ErrorCode::kResourceExhausted, "{}: cannot start zlib", name);
    }
    inflater->is_open_ = true;
    std::ranges::copy(start, inflater->input_.begin());
    inflater->give_input(start.size());
    return inflater;
  }

  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (is_open_) ::inflateEnd(&stream_);
  }

  /// `source` gives what follows of the file.
  Result<std::size_t> read(TextSource& source, std::span<char> bytes) {
    stream_.next_out = reinterpret_cast<Bytef*>(bytes.data());
    stream_.avail_out = static_cast<uInt>(std::min(bytes.size(), kOutputBytesMax));
    const uInt room = stream_.avail_out;
    while (stream_.avail_out == room) {
      if (stream_.avail_in == 0) {
        ASSIGN_OR_RETURN(const std::size_t count, source.read_file(input_));
        if (count == 0 && between_members_) return std::size_t{0};
        if (count == 0) {
          return fail(ErrorCode::kIo, "{}: the gzip data end too early, after {} bytes: the file is cut off",
                      source.name_, source.bytes_read_);
        }
        give_input(count);
      }
      if (std::exchange(between_members_, false)) ::inflateReset(&stream_);
      const int code = ::inflate(&stream_, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        between_members_ = true;
        ++members_;
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return fail_at(source, code);
      }
    }
    return room - stream_.avail_out;
  }

  std::size_t bytes_waiting() const { return stream_.avail_in; }

 private:
  static constexpr std::size_t kOutputBytesMax = std::size_t{1} << 30;  // zlib counts in 32 bits.

  void give_input(std::size_t bytes) {
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(bytes);
  }

  tl::unexpected<Error> fail_at(const TextSource& source, int code) const {
    if (members_ > 0 && stream_.total_out == 0 && code == Z_DATA_ERROR) {
      return fail(ErrorCode::kIo, "{}: something else follows the gzip data, before byte {}", source.name_,
                  source.file_bytes_read() + 1);
    }
    return fail(ErrorCode::kIo, "{}: the gzip data are damaged before byte {}: {}", source.name_,
                source.file_bytes_read() + 1, stream_.msg != nullptr ? stream_.msg : "zlib cannot go on");
  }

  z_stream stream_ = {};
  bool is_open_ = false;
  bool between_members_ = false;
  std::size_t members_ = 0;
  std::vector<char> input_ = std::vector<char>(std::size_t{64} << 10);
};

TextSource::TextSource(FileDescriptor file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}
TextSource::TextSource(TextSource&&) noexcept = default;
TextSource& TextSource::operator=(TextSource&&) noexcept = default;
TextSource::~TextSource() = default;

std::uint64_t TextSource::file_bytes_read() const { return bytes_read_ - (inflater_ ? inflater_->bytes_waiting() : 0); }

Result<std::size_t> TextSource::read_file(std::span<char> bytes) {
  for (;;) {
    const ssize_t count = ::read(file_.get(), bytes.data(), bytes.size());
    if (count >= 0) {
      bytes_read_ += static_cast<std::uint64_t>(count);
      return static_cast<std::size_t>(count);
    }
    if (errno != EINTR) return fail_errno(errno, "cannot read", name_);
  }
}

Result<std::size_t> TextSource::read_text(std::span<char> bytes) {
  return inflater_ ? inflater_->read(*this, bytes) : read_file(bytes);
}

// No more than is needed: whoever types a line waits for its answer.
Result<std::string> TextSource::read_start() {
  std::string start(kStartBytesMax, '\0');
  std::size_t size = 0;
  while (size < kStartBytes && start.find('\n') >= size) {
    ASSIGN_OR_RETURN(const std::size_t count, read_text(std::span(start).subspan(size)));
    if (count == 0) break;
    size += count;
  }
  start.resize(size);
  return start;
}

Status TextSource::start() {
  started_ = true;
  ASSIGN_OR_RETURN(start_, read_start());
  if (start_.starts_with(kGzip)) {
    ASSIGN_OR_RETURN(inflater_, Inflater::create(start_, name_));
    ASSIGN_OR_RETURN(start_, read_start());
  }
  RETURN_IF_ERROR(check_is_text(start_, name_));
  if (start_.starts_with(kByteOrderMark)) start_.erase(0, kByteOrderMark.size());
  return {};
}

Result<std::size_t> TextSource::read(std::span<char> bytes) {
  if (!started_) RETURN_IF_ERROR(start());
  if (start_.empty()) return read_text(bytes);
  const std::size_t count = std::min(bytes.size(), start_.size());
  std::ranges::copy_n(start_.begin(), static_cast<std::ptrdiff_t>(count), bytes.begin());
  start_.erase(0, count);
  return count;
}

}  // namespace tandem
