#include "base/hash.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_folder.h"

namespace tandem {
namespace {

TEST(Hash, AgreesWithThePublishedVectors) {
  // FIPS 180-4 examples.
  Hasher sha256(HashKind::kSha256);
  sha256.update("a");
  sha256.update("bc");
  EXPECT_EQ(sha256.finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Hasher sha1(HashKind::kSha1);
  sha1.update("abc");
  EXPECT_EQ(sha1.finish(), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(Hash, ReadsFilesOfAnyLength) {
  TemporaryFolder folder;
  EXPECT_EQ(sha256_file(folder.write("empty", "")).value(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // FIPS 180-4: a million times the letter a, which is longer than one read.
  EXPECT_EQ(sha256_file(folder.write("million", std::string(1'000'000, 'a'))).value(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  const Result<std::string> missing = sha256_file(folder.path() / "missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tandem
