#include "index/vector_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <thread>

#include "base/checksum.h"
#include "base/testing/temporary_folder.h"
#include "index/background_check.h"

namespace tandem {
namespace {

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211U;
  return hash;
}

class VectorFileTest : public testing::Test {
 protected:
  /// Writes rows of 3 dimensions: 0, 1, 2, … in order.
  Status write(std::size_t rows) {
    Matrix matrix(rows, 3);
    for (std::size_t index = 0; index < rows * 3; ++index) matrix.data()[index] = static_cast<float>(index);
    auto writer = VectorFileWriter::create(path_, 3);
    if (!writer) return tl::unexpected(writer.error());
    for (std::size_t row = 0; row < rows; ++row) {
      if (Status status = writer->append(MatrixView{matrix.row(row).data(), 1, 3}); !status) return status;
    }
    return writer->finish();
  }

  std::string content() const {
    std::ifstream stream(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  /// The error after `change` to the bytes of a file of two vectors; the checksum is made right again.
  Error error_after(const std::function<void(std::string&)>& change, bool fix_checksum = true) {
    std::filesystem::remove(path_);
    EXPECT_TRUE(write(2));
    std::string bytes = content();
    change(bytes);
    if (fix_checksum) {
      const std::uint64_t checksum = fnv1a(std::string_view(bytes).substr(0, 56));
      std::memcpy(bytes.data() + 56, &checksum, 8);
    }
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    const auto file = VectorFile::open(path_);
    if (file) return {ErrorCode::kIo, "no error"};
    EXPECT_TRUE(file.error().message.starts_with(path_.string() + ": "));
    return {file.error().code, file.error().message.substr(path_.string().size() + 2)};
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "vectors.f32";
};

TEST_F(VectorFileTest, ReadsBackWhatWasWritten) {
  for (const std::size_t rows : {0U, 1U, 100U, 20'000U}) {
    std::filesystem::remove(path_);
    ASSERT_TRUE(write(rows));
    const auto file = VectorFile::open(path_);
    ASSERT_TRUE(file) << file.error().message;
    const VectorRows all = file->rows();
    EXPECT_EQ(all.count(), rows);
    EXPECT_EQ(all.dimensions(), 3U);
    EXPECT_TRUE(file->has_checksums());
    const auto block = all.read(0, rows);
    ASSERT_TRUE(block) << block.error().message;
    const MatrixView vectors = block->f32();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(vectors.data) % 64, 0U);
    for (std::size_t index = 0; index < rows * 3; ++index) ASSERT_EQ(vectors.data[index], static_cast<float>(index));
  }
}

TEST_F(VectorFileTest, HasTheBytesThatTheFormatPageSays) {
  // 6,000 vectors of 12 bytes: a block of 65,536 bytes and one of 6,464.
  ASSERT_TRUE(write(6000));
  const unsigned char expected[] = {'T',  'N', 'D', 'M', 'V', 'E', 'C', '\n',  //
                                    2,    0,   0,   0,   1,   0,   0,   0,     // version, element type
                                    3,    0,   0,   0,   0,   0,   0,   0,     // dimensions
                                    0x70, 23,  0,   0,   0,   0,   0,   0,     // count
                                    0,    0,   1,   0,   0,   0,   0,   0};    // bytes of a block
  const std::string bytes = content();
  ASSERT_EQ(bytes.size(), 64U + 72'000U + 16U);
  EXPECT_EQ(std::memcmp(bytes.data(), expected, sizeof(expected)), 0);
  const auto number_at = [&](std::size_t position) {
    std::uint64_t number = 0;
    std::memcpy(&number, bytes.data() + position, sizeof(number));
    return number;
  };
  const auto checksum_of = [&](std::size_t position, std::size_t count) {
    return checksum(std::as_bytes(std::span(bytes).subspan(position, count)));
  };
  EXPECT_EQ(number_at(40), checksum_of(72'064, 16));
  EXPECT_EQ(number_at(48), 0U);
  EXPECT_EQ(number_at(56), fnv1a(std::string_view(bytes).substr(0, 56)));
  EXPECT_EQ(number_at(72'064), checksum_of(64, 65'536));
  EXPECT_EQ(number_at(72'072), checksum_of(64 + 65'536, 6464));
}

TEST_F(VectorFileTest, ReadsTheFirstVersionWhichHadNoChecksums) {
  ASSERT_TRUE(write(2));
  std::string bytes = content().substr(0, 64 + 24);
  bytes[8] = 1;
  bytes.replace(32, 24, std::string(24, '\0'));
  const std::uint64_t checksum = fnv1a(std::string_view(bytes).substr(0, 56));
  std::memcpy(bytes.data() + 56, &checksum, 8);
  std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  const auto file = VectorFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_FALSE(file->has_checksums());
  const auto block = file->rows().read(1, 1);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->f32().row(0)[2], 5.0F);
}

TEST_F(VectorFileTest, OneBitThatIsWrongIsNoticedWhereItIsReadAndNowhereElse) {
  ASSERT_TRUE(write(20'000));  // Four blocks, of 5,461 vectors and a third each.
  for (const std::size_t place : {0U, 65'535U, 65'536U, 130'000U, 239'999U}) {
    std::string bytes = content();
    bytes[64 + place] = static_cast<char>(bytes[64 + place] ^ 4);
    const std::filesystem::path damaged = folder_.write("damaged.f32", bytes);
    const auto file = VectorFile::open(damaged);
    ASSERT_TRUE(file) << file.error().message;
    const VectorRows rows = file->rows();
    for (const std::size_t row : {0U, 5461U, 5462U, 11'000U, 19'999U}) {
      // The blocks that a row's first and last byte lie in.
      const bool is_hit = row * 12 / 65'536 == place / 65'536 || (row * 12 + 11) / 65'536 == place / 65'536;
      for (int round = 0; round < 2; ++round) {
        const auto block = rows.read(row, 1);
        ASSERT_EQ(block.has_value(), !is_hit) << place << ' ' << row;
        if (block) continue;
        EXPECT_EQ(block.error().code, ErrorCode::kCorruptData);
        EXPECT_TRUE(block.error().message.starts_with(
            fmt::format("{}: block {} of 4, from byte {} on, has the checksum ", damaged.string(), place / 65'536 + 1,
                        place / 65'536 * 65'536)))
            << block.error().message;
      }
    }
  }
}

TEST_F(VectorFileTest, DamageIsFoundInTheBackground) {
  ASSERT_TRUE(write(20'000));
  const auto sound = VectorFile::open(path_);
  const BackgroundCheck nothing({sound->rows()});
  std::string bytes = content();
  bytes[64 + 130'000] = static_cast<char>(bytes[64 + 130'000] ^ 4);
  const auto file = VectorFile::open(folder_.write("damaged.f32", bytes));
  const BackgroundCheck check({sound->rows(), file->rows()});
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (check.found() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  const Status found = check.found();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(found.error().message.find("block 2 of 4"), std::string::npos) << found.error().message;
  EXPECT_TRUE(nothing.found());
}

TEST_F(VectorFileTest, NamesEveryLie) {
  const auto set = [](std::size_t position, std::uint64_t value, std::size_t size) {
    return [=](std::string& bytes) { std::memcpy(bytes.data() + position, &value, size); };
  };
  EXPECT_EQ(error_after(set(0, 'X', 1)).message, "not a vector file, or one never finished");
  EXPECT_TRUE(error_after(set(24, 1, 8), false).message.starts_with("the header's checksum is "));
  EXPECT_EQ(error_after(set(8, 3, 4)).message, "version 3 of the format, this program reads 1 and 2");
  EXPECT_EQ(error_after(set(8, 3, 4)).code, ErrorCode::kUnsupported);
  EXPECT_EQ(error_after(set(12, 9, 4)).message, "element type 9, this program reads 1 (f32), 2 (bf16) and 3 (int8)");
  EXPECT_EQ(error_after(set(32, 4096, 8)).message,
            "checksums over 4096 bytes each, this program reads those over 65536");
  EXPECT_TRUE(error_after(set(40, 7, 8)).message.starts_with("the checksum of the blocks' checksums is "));
  EXPECT_TRUE(error_after(set(88, 7, 8)).message.starts_with("the checksum of the blocks' checksums is "));
  EXPECT_EQ(error_after(set(16, 0, 8)).message, "0 dimensions, want 1 to 65536");
  EXPECT_EQ(error_after(set(16, 1U << 20, 8)).message, "1048576 dimensions, want 1 to 65536");
  EXPECT_EQ(error_after(set(24, ~0ULL, 8)).message, "18446744073709551615 vectors, want at most 4294967296");
  EXPECT_EQ(error_after(set(24, 3, 8)).message, "96 bytes, want 108 for 3 vectors of 3 dimensions");
  EXPECT_EQ(error_after([](std::string& bytes) { bytes.pop_back(); }).message,
            "95 bytes, want 96 for 2 vectors of 3 dimensions");
  EXPECT_EQ(error_after([](std::string& bytes) { bytes += "tail"; }).message,
            "100 bytes, want 96 for 2 vectors of 3 dimensions");
  EXPECT_EQ(error_after([](std::string& bytes) { bytes.resize(63); }, false).message,
            "63 bytes, want at least the 64 of the header");
  EXPECT_EQ(error_after([](std::string& bytes) { bytes.clear(); }, false).code, ErrorCode::kCorruptData);
}

TEST_F(VectorFileTest, IsNotReadableBeforeItIsFinished) {
  auto writer = VectorFileWriter::create(path_, 3);
  ASSERT_TRUE(writer);
  const Matrix matrix(5, 3);
  ASSERT_TRUE(writer->append(matrix.view()));
  EXPECT_EQ(VectorFile::open(path_).error().code, ErrorCode::kCorruptData);
  ASSERT_TRUE(writer->finish());
  EXPECT_TRUE(VectorFile::open(path_));
}

TEST_F(VectorFileTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(VectorFileWriter::create(path_, 0).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(VectorFileWriter::create(path_, (1U << 16) + 1).error().code, ErrorCode::kInvalidArgument);
  auto writer = VectorFileWriter::create(path_, 3);
  ASSERT_TRUE(writer);
  EXPECT_EQ(writer->append(Matrix(1, 4).view()).error().message, "vectors of 4 dimensions in f32, want 3 in f32");
  EXPECT_EQ(VectorFileWriter::create(path_, 3).error().code, ErrorCode::kIo) << "the path exists";
}

}  // namespace
}  // namespace tandem
