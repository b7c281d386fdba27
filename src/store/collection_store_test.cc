#include "store/collection_store.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <numeric>
#include <random>
#include <set>

#include "base/error.h"
#include "base/testing/temporary_folder.h"
#include "store/testing/sample_versions.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

class CollectionStore : public testing::Test {
 protected:
  std::set<std::string> names() const {
    std::set<std::string> result;
    for (const auto& entry : fs::directory_iterator(collection_)) result.insert(entry.path().filename().string());
    return result;
  }

  TemporaryFolder folder_;
  fs::path collection_ = folder_.path() / "faq.tandem";
};

TEST(Manifest, ReadsBackWhatWasWritten) {
  CollectionInfo info = sample_info();
  info.documents = 5;
  info.recipe.encoder.model = "a \"quoted\" name";
  const auto read = parse_manifest(manifest_json(info), "manifest.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(manifest_json(*read), manifest_json(info));
  EXPECT_EQ(read->recipe.encoder.model, info.recipe.encoder.model);
  EXPECT_EQ(read->metric, Metric::kL2);
  EXPECT_EQ(read->truncation.tokens_dropped, 77U);
}

TEST(Manifest, NamesWhatIsWrong) {
  const std::string good = manifest_json(sample_info());
  const auto error_with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    const auto info = parse_manifest(text, "manifest.json");
    return info ? "no error" : info.error().message;
  };
  EXPECT_EQ(error_with("\"version\":2", "\"version\":3"),
            "manifest.json: version 3 of the format, this program reads 1 to 2");
  EXPECT_EQ(error_with("\"bf16\"", "\"f8\""), "manifest.json: precision: expected auto or f32 or bf16 or int8, got f8");
  EXPECT_EQ(error_with("\"l2\"", "\"l3\""), "manifest.json: metric: expected inner_product or l2 or cosine, got l3");
  EXPECT_EQ(error_with("tandem-collection", "other"), "manifest.json: format: expected tandem-collection, got other");
  EXPECT_EQ(error_with("\"max_length\":256", "\"max_length\":-1"),
            "manifest.json: max_length: expected an unsigned integer, got an integer");
  EXPECT_EQ(error_with("\"pooling\"", "\"poling\""), "manifest.json: pooling is missing");
  EXPECT_TRUE(contains(error_with("}", ""), "not valid JSON"));
}

TEST(Manifest, RefusesControlCharactersInWhatIsPrinted) {
  for (std::string BiEncoderIdentity::*member : {&BiEncoderIdentity::model, &BiEncoderIdentity::weights_hash,
                                                 &BiEncoderIdentity::pooling, &BiEncoderIdentity::prompt_name}) {
    CollectionInfo info = sample_info();
    info.recipe.encoder.*member = "org/name\n2";
    const auto read = parse_manifest(manifest_json(info), "manifest.json");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::kCorruptData);
    EXPECT_TRUE(contains(read.error().message, "manifest.json: the ")) << read.error().message;
  }
}

TEST_F(CollectionStore, OpensWhatWasPublished) {
  const auto info = write_version(collection_, 7, 300);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->documents, 300U);
  const auto stored = StoredCollection::open(collection_);
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->info.documents, 300U);
  EXPECT_EQ(stored->info.size_bytes, info->size_bytes);
  EXPECT_GT(info->size_bytes, 300 * (kDimensions * sizeof(float) + 100));
  EXPECT_EQ(*read_version(*stored), 7U);
  EXPECT_EQ(names(), (std::set<std::string>{"CURRENT", "generation-000001"}));
}

TEST_F(CollectionStore, ReplacesTheOldVersionWhileReadersKeepIt) {
  ASSERT_TRUE(write_version(collection_, 1, 500));
  const auto old = StoredCollection::open(collection_);
  ASSERT_TRUE(old);
  ASSERT_TRUE(write_version(collection_.string() + "/", 2, 50));
  EXPECT_EQ(names(), (std::set<std::string>{"CURRENT", "generation-000002"}));
  EXPECT_EQ(*read_version(collection_), 2U);
  EXPECT_EQ(*read_version(*old), 1U);
}

TEST_F(CollectionStore, NothingStaysOfAWriterThatDoesNotPublish) {
  { ASSERT_TRUE(CollectionStoreWriter::create(collection_, kDimensions)); }
  EXPECT_FALSE(fs::exists(collection_));
  ASSERT_TRUE(write_version(collection_, 1, 5));
  { ASSERT_TRUE(CollectionStoreWriter::create(collection_, kDimensions)); }
  EXPECT_EQ(names(), (std::set<std::string>{"CURRENT", "generation-000001"}));
  EXPECT_EQ(*read_version(collection_), 1U);
}

TEST_F(CollectionStore, RefusesToPublishNothingOrHalfOfIt) {
  auto writer = CollectionStoreWriter::create(collection_, kDimensions);
  ASSERT_TRUE(writer);
  EXPECT_EQ(writer->publish(sample_info()).error().message, collection_.string() + ": no documents were added");
  ASSERT_TRUE(writer->add_document({.id = "a", .title = "", .text = "", .metadata = ""}));
  EXPECT_EQ(writer->publish(sample_info()).error().message,
            collection_.string() + ": 1 documents and 0 vectors were added");
  EXPECT_EQ(writer->add_document({.id = "a", .title = "", .text = "", .metadata = ""}).error().code,
            ErrorCode::kConflict);
}

TEST_F(CollectionStore, OneWriterAtATimeInOneProcessAndInTwo) {
  auto writer = CollectionStoreWriter::create(collection_, kDimensions);
  ASSERT_TRUE(writer);
  const auto is_refused = [&] {
    const auto second = CollectionStoreWriter::create(collection_, kDimensions);
    return !second && second.error().code == ErrorCode::kConflict &&
           second.error().message == collection_.string() + ": another writer is at work";
  };
  EXPECT_TRUE(is_refused());
  EXPECT_EQ(Child([&] { return is_refused() ? 0 : 1; }).wait(), 0);
  writer = tl::unexpected(Error{});
  EXPECT_TRUE(CollectionStoreWriter::create(collection_, kDimensions));
}

TEST_F(CollectionStore, LeavesFoldersAloneThatAreNoCollections) {
  folder_.write("faq.tandem/thesis.doc", "years of work");
  folder_.write("faq.tandem/generation-000001/chapter", "one");
  const auto writer = CollectionStoreWriter::create(collection_, kDimensions);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(contains(writer.error().message, "holds other files, such as thesis.doc")) << writer.error().message;
  EXPECT_TRUE(fs::exists(collection_ / "generation-000001/chapter"));
  EXPECT_EQ(CollectionStoreWriter::create(collection_ / "thesis.doc", kDimensions).error().code, ErrorCode::kNotFound);
}

TEST_F(CollectionStore, SaysWhatIsNoCollection) {
  const auto error_of = [&] { return StoredCollection::open(collection_).error(); };
  EXPECT_EQ(error_of().code, ErrorCode::kNotFound);
  EXPECT_EQ(error_of().message, collection_.string() + ": there is no such collection");
  fs::create_directory(collection_);
  EXPECT_EQ(error_of().message, collection_.string() + ": not a collection: it has no file CURRENT");
  for (const char* name : {"", "generation-1", "generation-000001x", "../generation-000001", "generation--00001"}) {
    std::ofstream(collection_ / "CURRENT", std::ios::trunc) << name;
    EXPECT_EQ(error_of().code, ErrorCode::kCorruptData) << name;
  }
  std::ofstream(collection_ / "CURRENT", std::ios::trunc) << "generation-000009\n";
  EXPECT_EQ(error_of().code, ErrorCode::kNotFound);
  EXPECT_TRUE(contains(error_of().message, "generation-000009/manifest.json: cannot open")) << error_of().message;
}

TEST_F(CollectionStore, LinksInItAreRefusedAndTheOneToItIsFollowed) {
  ASSERT_TRUE(write_version(collection_, 1, 5));
  const fs::path other = folder_.path() / "other";
  ASSERT_TRUE(write_version(other, 2, 5));
  const fs::path link = folder_.path() / "link";
  fs::create_directory_symlink(collection_, link);
  for (const char* name : {"CURRENT", "generation-000001/vectors.f32", "generation-000001/documents.sqlite",
                           "generation-000001/manifest.json", "generation-000001"}) {
    EXPECT_EQ(*read_version(link), 1U);
    const fs::path kept = folder_.path() / "kept";
    fs::rename(collection_ / name, kept);
    fs::create_symlink(other / name, collection_ / name);
    const auto opened = StoredCollection::open(collection_);
    ASSERT_FALSE(opened) << name;
    EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(opened.error().message,
              (collection_ / name).string() + ": a link, not a regular file or folder: a collection holds no links");
    fs::remove(collection_ / name);
    fs::rename(kept, collection_ / name);
  }
}

TEST_F(CollectionStore, FilesThatContradictEachOtherAreCorrupt) {
  ASSERT_TRUE(write_version(collection_, 1, 5));
  ASSERT_TRUE(write_version(folder_.path() / "other", 1, 6));
  for (const char* name : {"vectors.f32", "documents.sqlite", "manifest.json"}) {
    const fs::path file = collection_ / "generation-000001" / name;
    const fs::path kept = folder_.path() / "kept";
    fs::copy_file(file, kept, fs::copy_options::overwrite_existing);
    fs::copy_file(folder_.path() / "other/generation-000001" / name, file, fs::copy_options::overwrite_existing);
    const auto opened = StoredCollection::open(collection_);
    ASSERT_FALSE(opened) << name;
    EXPECT_EQ(opened.error().code, ErrorCode::kCorruptData);
    fs::copy_file(kept, file, fs::copy_options::overwrite_existing);
  }
  EXPECT_TRUE(StoredCollection::open(collection_));
}

TEST_F(CollectionStore, DamageIsAnErrorOrHarmlessButNeverACrash) {
  ASSERT_TRUE(write_version(collection_, 1, 200));
  std::mt19937 random(5);
  const std::vector<std::string> files{"CURRENT", "generation-000001/vectors.f32", "generation-000001/documents.sqlite",
                                       "generation-000001/manifest.json"};
  for (int round = 0; round < 400; ++round) {
    const fs::path file = collection_ / files[random() % files.size()];
    std::ifstream stream(file, std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(stream), {}};
    std::string damaged = whole;
    if (random() % 4 == 0) {
      damaged.resize(random() % damaged.size());
    } else {
      for (int change = 0; change < 8; ++change) {
        // Half of the changes in the first bytes, where the headers are.
        const std::size_t range = random() % 2 == 0 ? std::min<std::size_t>(damaged.size(), 200) : damaged.size();
        damaged[random() % range] = static_cast<char>(random());
      }
    }
    std::ofstream(file, std::ios::binary | std::ios::trunc) << damaged;
    if (const auto collection = StoredCollection::open(collection_)) {
      std::vector<std::uint32_t> ordinals(std::min<std::size_t>(collection->info.documents, 1000));
      std::iota(ordinals.begin(), ordinals.end(), 0U);
      static_cast<void>(collection->documents.read(ordinals));
    } else {
      EXPECT_FALSE(collection.error().message.empty());
    }
    std::ofstream(file, std::ios::binary | std::ios::trunc) << whole;
  }
  EXPECT_EQ(*read_version(collection_), 1U);
}

TEST_F(CollectionStore, ReadersSeeWholeVersionsWhileAnotherProcessWrites) {
  ASSERT_TRUE(write_version(collection_, 1, 20));
  const Child writer([&] {
    for (std::uint32_t tag = 2; tag < 60; ++tag) {
      if (!write_version(collection_, tag, 20)) return 1;
    }
    return 0;
  });
  std::uint32_t last = 1;
  while (last < 59) {
    const auto version = read_version(collection_);
    ASSERT_TRUE(version) << version.error().message;
    ASSERT_GE(*version, last);
    last = *version;
  }
  EXPECT_EQ(writer.wait(), 0);
}

TEST_F(CollectionStore, AFullDiskIsAnErrorAndTheOldVersionStays) {
  ASSERT_TRUE(write_version(collection_, 1, 20));
  // No file may grow beyond this: each limit makes another write fail, in SQLite, the vectors, the manifest.
  const std::vector<rlim_t> limits{0, 60, 100, 3000, 9000, 20'000, 60'000, 110'000};
  for (const rlim_t limit : limits) {
    const Child child([&] {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit value{limit, limit};
      if (::setrlimit(RLIMIT_FSIZE, &value) != 0) return 2;
      const auto result = write_version(collection_, 2, 2000);
      if (result) return 3;
      return result.error().code == ErrorCode::kNoSpace ? 0 : 4;
    });
    EXPECT_EQ(child.wait(), 0) << "limit " << limit;
    EXPECT_EQ(*read_version(collection_), 1U);
    EXPECT_EQ(names(), (std::set<std::string>{"CURRENT", "generation-000001"})) << "limit " << limit;
  }
}

TEST_F(CollectionStore, ARealFullDiskIsAnErrorToo) {
  constexpr int kNoMounts = 77;
  const Child child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
      return kNoMounts;
    }
    if (!write_version(collection_, 1, 20)) return 1;
    const auto result = write_version(collection_, 2, 3000);
    if (result || result.error().code != ErrorCode::kNoSpace) return 2;
    const auto version = read_version(collection_);
    return version && *version == 1 ? 0 : 3;
  });
  const int status = child.wait();
  if (status == kNoMounts) GTEST_SKIP() << "this process may not mount a file system";
  EXPECT_EQ(status, 0);
}

TEST_F(CollectionStore, AFolderWithoutWritePermissionIsAnErrorAndReadable) {
  ASSERT_TRUE(write_version(collection_, 1, 20));
  fs::permissions(folder_.path(), fs::perms(0755));
  fs::permissions(collection_, fs::perms(0555));
  const Child child([&] {
    constexpr uid_t kNobody = 65534;  // Root may write everywhere, so try as somebody else.
    if (::geteuid() == 0 && ::setuid(kNobody) != 0) return 1;
    const auto result = write_version(collection_, 2, 3);
    if (result || result.error().code != ErrorCode::kPermission) return 2;
    const auto beside = write_version(folder_.path() / "new", 2, 3);
    if (::geteuid() == kNobody && (beside || beside.error().code != ErrorCode::kPermission)) return 3;
    const auto version = read_version(collection_);
    return version && *version == 1 ? 0 : 4;
  });
  EXPECT_EQ(child.wait(), 0);
  fs::permissions(collection_, fs::perms(0755));
}

}  // namespace
}  // namespace tandem
