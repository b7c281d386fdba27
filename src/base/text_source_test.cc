#include "base/text_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <span>
#include <string>

#include "base/line_reader.h"
#include "base/testing/cost.h"
#include "base/testing/gzip.h"
#include "base/testing/temporary_folder.h"

namespace tandem {
namespace {

using namespace std::string_literals;

/// The text of a file, read `step` bytes at a time, or "error: " and the message.
std::string text_of(std::string_view content, std::size_t step = 1 << 16) {
  const TemporaryFolder folder;
  TextSource source(FileDescriptor::open(folder.write("file", content), O_RDONLY).value(), "file");
  std::string text;
  std::string buffer(step, '\0');
  for (;;) {
    const Result<std::size_t> count = source.read(buffer);
    if (!count) return "error: " + count.error().message;
    if (*count == 0) break;
    text.append(buffer, 0, *count);
  }
  EXPECT_EQ(source.file_bytes_read(), content.size());
  return text;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

TEST(TextSource, GivesTextAsItIs) {
  for (const std::string& text : {""s, "a"s, "one\ntwo\r\n"s, std::string(100'000, 'x'), "\xE9\xFF\n"s}) {
    EXPECT_EQ(text_of(text), text);
    EXPECT_EQ(text_of(text, 7), text);
  }
}

TEST(TextSource, LeavesOutAByteOrderMarkAtTheStart) {
  EXPECT_EQ(text_of("\xEF\xBB\xBFone\n\xEF\xBB\xBFtwo"), "one\n\xEF\xBB\xBFtwo");
  EXPECT_EQ(text_of("\xEF\xBB\xBF"), "");
  EXPECT_EQ(text_of(gzip("\xEF\xBB\xBFone")), "one");
}

TEST(TextSource, ReadsEveryMemberOfGzip) {
  std::string text;
  for (int line = 0; line < 20'000; ++line) text += fmt::format("line {}\n", line * line);
  EXPECT_EQ(text_of(gzip(text)), text);
  EXPECT_EQ(text_of(gzip(text), 3), text);
  EXPECT_EQ(text_of(gzip("") + gzip(text) + gzip("") + gzip("end")), text + "end");
  EXPECT_EQ(text_of(gzip("")), "");
}

TEST(TextSource, RefusesGzipThatIsCutOffDamagedOrFollowedByMore) {
  const std::string whole = gzip("some text that takes a few bytes, some more text\n");
  for (std::size_t size = 2; size < whole.size(); ++size) {
    EXPECT_TRUE(contains(text_of(whole.substr(0, size)), "error: file: the gzip data end too early")) << size;
  }
  std::string flipped = whole;
  flipped[whole.size() / 2] ^= 0x10;
  EXPECT_TRUE(contains(text_of(flipped), "error: file: the gzip data are damaged")) << text_of(flipped);
  std::string other_sum = whole;
  other_sum[whole.size() - 6] ^= 1;
  EXPECT_TRUE(contains(text_of(other_sum), "incorrect data check")) << text_of(other_sum);
  EXPECT_TRUE(contains(text_of(whole + "garbage"), "error: file: something else follows the gzip data"));
  EXPECT_TRUE(contains(text_of(whole + std::string(512, '\0')), "something else follows"));
}

TEST(TextSource, RefusesWhatIsNoTextByName) {
  const std::array<std::pair<std::string, std::string>, 16> files{{{"PK\x03\x04...", "a zip archive"},
                                                                   {"%PDF-1.7\n", "a PDF document"},
                                                                   {"PAR1\x15\x04", "a Parquet file"},
                                                                   {"\x28\xB5\x2F\xFD.", "zstd"},
                                                                   {"BZh91AY&SY\x01", "bzip2"},
                                                                   {"\xFD\x37zXZ\0.."s, "xz"},
                                                                   {"7z\xBC\xAF\x27\x1C", "7z"},
                                                                   {"SQLite format 3\0"s, "SQLite"},
                                                                   {"\x93NUMPY\x01", "NumPy"},
                                                                   {"Obj\x01", "Avro"},
                                                                   {"ARROW1\0\0"s, "Arrow"},
                                                                   {"\x7F"
                                                                    "ELF\x02",
                                                                    "a program"},
                                                                   {"\x89PNG\r\n\x1A\n", "PNG"},
                                                                   {"GIF89a\x01\0"s, "GIF"},
                                                                   {"\xFF\xFEh\0i\0"s, "the text is UTF-16"},
                                                                   {"\xFF\xFE\0\0h\0\0\0"s, "the text is UTF-32"}}};
  for (const auto& [content, name] : files) {
    EXPECT_TRUE(contains(text_of(content), "error: file: ")) << name;
    EXPECT_TRUE(contains(text_of(content), name)) << text_of(content);
    EXPECT_TRUE(contains(text_of(gzip(content)), name)) << text_of(gzip(content));
  }
  std::string tar = "name" + std::string(253, '\0') + "ustar  ";
  EXPECT_TRUE(contains(text_of(tar), "a tar archive"));
  EXPECT_TRUE(contains(text_of(gzip(gzip("text"))), "gzip twice"));
}

TEST(TextSource, ReadsTextThatBeginsAsOtherFilesDo) {
  for (const char* text : {"GIF89a is a format", "BZh is no word", "ORCs live here", "RIFF and raff", "PAR1 lamps",
                           "ARROW1", "PK is a key", "BM"}) {
    EXPECT_EQ(text_of(text), text);
  }
}

TEST(LineReader, RefusesLinesThatHoldANul) {
  const TemporaryFolder folder;
  LineReader lines = LineReader::open(folder.write("f", "one\ntw\0o\n"s).string(), "f", 100).value();
  EXPECT_EQ(lines.next()->value(), "one");
  const auto line = lines.next();
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, ErrorCode::kUnsupported);
  EXPECT_TRUE(contains(line.error().message, "f:2: byte 3 of the line is NUL")) << line.error().message;
}

TEST(LineReader, RefusesCarriageReturnsAlone) {
  const TemporaryFolder folder;
  const auto error_of = [&](std::string_view content) {
    LineReader lines = LineReader::open(folder.write("f", content).string(), "f", 100).value();
    for (;;) {
      const auto line = lines.next();
      if (!line) return line.error().message;
      if (!*line) return ""s;
    }
  };
  EXPECT_TRUE(contains(error_of("one\rtwo\r"), "f: its lines end in carriage returns alone"));
  EXPECT_TRUE(contains(error_of("one\rtwo"), "carriage returns"));
  EXPECT_EQ(error_of("one\r"), "");
  EXPECT_EQ(error_of("one\rtwo\n"), "");
  EXPECT_EQ(error_of("one\r\ntwo\rthree"), "");
}

TEST(LineReader, KnowsWhatItHasReadOfAFileAndOfItsText) {
  const TemporaryFolder folder;
  const std::string compressed = gzip(std::string(50'000, 'x') + "\nend\n");
  LineReader lines = LineReader::open(folder.write("f", compressed).string(), "f", 100'000).value();
  EXPECT_EQ(lines.next()->value().size(), 50'000U);
  EXPECT_EQ(lines.text_bytes_read(), 50'001U);
  EXPECT_EQ(lines.next()->value(), "end");
  EXPECT_FALSE(lines.next()->has_value());
  EXPECT_EQ(lines.file_bytes_read(), compressed.size());
}

TEST(LineReader, HoldsNoMoreThanALineOfWhatIsCompressed) {
  const TemporaryFolder folder;
  const std::string file = folder.write("f", gzip(std::string(200 << 20, 'x'))).string();
  const Cost nothing = cost_of([] { return true; });
  const Cost cost = cost_of([&] { return !LineReader::open(file, "f", 1 << 20).value().next().has_value(); });
  EXPECT_TRUE(cost.succeeded);
  EXPECT_LT(cost.memory_mib - nothing.memory_mib, 16);
}

}  // namespace
}  // namespace tandem
