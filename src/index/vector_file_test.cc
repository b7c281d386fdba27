#include "index/vector_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>

#include "base/temporary_folder.h"

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
      if (Status status = writer->append({matrix.row(row).data(), 1, 3}); !status) return status;
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
  for (const std::size_t rows : {0U, 1U, 100U}) {
    std::filesystem::remove(path_);
    ASSERT_TRUE(write(rows));
    const auto file = VectorFile::open(path_);
    ASSERT_TRUE(file) << file.error().message;
    const MatrixView vectors = file->vectors();
    EXPECT_EQ(vectors.rows, rows);
    EXPECT_EQ(vectors.columns, 3U);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(vectors.data) % 64, 0U);
    for (std::size_t index = 0; index < rows * 3; ++index) ASSERT_EQ(vectors.data[index], static_cast<float>(index));
  }
}

TEST_F(VectorFileTest, HasTheBytesThatTheFormatPageSays) {
  ASSERT_TRUE(write(1));
  const unsigned char expected[] = {'T', 'N', 'D', 'M', 'V', 'E', 'C', '\n',  //
                                    1,   0,   0,   0,   1,   0,   0,   0,     // version, element type
                                    3,   0,   0,   0,   0,   0,   0,   0,     // dimensions
                                    1,   0,   0,   0,   0,   0,   0,   0};    // count
  const std::string bytes = content();
  ASSERT_EQ(bytes.size(), 64U + 12U);
  EXPECT_EQ(std::memcmp(bytes.data(), expected, sizeof(expected)), 0);
  EXPECT_EQ(bytes.substr(32, 24), std::string(24, '\0'));
  std::uint64_t checksum = 0;
  std::memcpy(&checksum, bytes.data() + 56, 8);
  EXPECT_EQ(checksum, fnv1a(std::string_view(bytes).substr(0, 56)));
}

TEST_F(VectorFileTest, NamesEveryLie) {
  const auto set = [](std::size_t position, std::uint64_t value, std::size_t size) {
    return [=](std::string& bytes) { std::memcpy(bytes.data() + position, &value, size); };
  };
  EXPECT_EQ(error_after(set(0, 'X', 1)).message, "not a vector file, or one never finished");
  EXPECT_TRUE(error_after(set(24, 1, 8), false).message.starts_with("the header's checksum is "));
  EXPECT_EQ(error_after(set(8, 2, 4)).message, "version 2 of the format, this program reads 1");
  EXPECT_EQ(error_after(set(8, 2, 4)).code, ErrorCode::kUnsupported);
  EXPECT_EQ(error_after(set(12, 9, 4)).message, "element type 9, this program reads 1 (f32)");
  EXPECT_EQ(error_after(set(16, 0, 8)).message, "0 dimensions, want 1 to 65536");
  EXPECT_EQ(error_after(set(16, 1U << 20, 8)).message, "1048576 dimensions, want 1 to 65536");
  EXPECT_EQ(error_after(set(24, ~0ULL, 8)).message, "18446744073709551615 vectors, want at most 4294967296");
  EXPECT_EQ(error_after(set(24, 3, 8)).message, "88 bytes, want 100 for 3 vectors of 3 dimensions");
  EXPECT_EQ(error_after([](std::string& bytes) { bytes.pop_back(); }).message,
            "87 bytes, want 88 for 2 vectors of 3 dimensions");
  EXPECT_EQ(error_after([](std::string& bytes) { bytes += "tail"; }).message,
            "92 bytes, want 88 for 2 vectors of 3 dimensions");
  EXPECT_EQ(error_after([](std::string& bytes) { bytes.resize(63); }, false).message,
            "63 bytes, want at least the 64 of the header");
  EXPECT_EQ(error_after([](std::string& bytes) { bytes.clear(); }, false).code, ErrorCode::kCorruptData);
}

TEST_F(VectorFileTest, IsNotReadableBeforeItIsFinished) {
  auto writer = VectorFileWriter::create(path_, 3);
  ASSERT_TRUE(writer);
  const Matrix matrix(5, 3);
  ASSERT_TRUE(writer->append(matrix));
  EXPECT_EQ(VectorFile::open(path_).error().code, ErrorCode::kCorruptData);
  ASSERT_TRUE(writer->finish());
  EXPECT_TRUE(VectorFile::open(path_));
}

TEST_F(VectorFileTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(VectorFileWriter::create(path_, 0).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(VectorFileWriter::create(path_, (1U << 16) + 1).error().code, ErrorCode::kInvalidArgument);
  auto writer = VectorFileWriter::create(path_, 3);
  ASSERT_TRUE(writer);
  EXPECT_EQ(writer->append(Matrix(1, 4)).error().message, "vectors of 4 dimensions, want 3");
  EXPECT_EQ(VectorFileWriter::create(path_, 3).error().code, ErrorCode::kIo) << "the path exists";
}

}  // namespace
}  // namespace tandem
