#include "base/scratch_folder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>

namespace tandem {
namespace {

namespace fs = std::filesystem;

TEST(ScratchFolder, IsRemovedWithWhatIsInIt) {
  fs::path path;
  {
    Result<ScratchFolder> folder = ScratchFolder::create("tandem-test");
    ASSERT_TRUE(folder.has_value());
    const ScratchFolder moved = std::move(*folder);
    path = moved.path();
    EXPECT_TRUE(path.filename().string().starts_with("tandem-test-"));
    fs::create_directory(path / "inside");
    std::ofstream(path / "inside" / "file") << "text";
    EXPECT_TRUE(fs::exists(path / "inside" / "file"));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(ScratchFolder, TwoOfOneNameAreTwo) {
  const Result<ScratchFolder> one = ScratchFolder::create("tandem-test");
  const Result<ScratchFolder> other = ScratchFolder::create("tandem-test");
  ASSERT_TRUE(one.has_value() && other.has_value());
  EXPECT_NE(one->path(), other->path());
}

}  // namespace
}  // namespace tandem
