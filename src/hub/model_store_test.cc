#include "tandem/model_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <optional>

#include "hub/testing/fake_hub.h"
#include "hub/testing/test_environment.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";

class ModelStoreTest : public testing::Test {
 protected:
  ModelStoreTest() {
    environment_.set("TANDEM_HOME", (folder_.path() / "home").string());
    environment_.set("HF_HOME", (folder_.path() / "hf").string());
    environment_.set("HF_HUB_CACHE", "");
    environment_.set("HUGGINGFACE_HUB_CACHE", "");
    environment_.set("HF_HUB_OFFLINE", "");
    environment_.set("TRANSFORMERS_OFFLINE", "");
    environment_.set("HF_TOKEN", "");
    environment_.set("HF_ENDPOINT", "http://127.0.0.1:1");
  }

  /// A snapshot as Hugging Face's libraries keep it.
  fs::path cache(const std::string& repository, const std::vector<const char*>& files,
                 const std::string& commit = kCommit) const {
    const fs::path snapshot = fs::path("hf/hub") / repository / "snapshots" / commit;
    folder_.write(fs::path("hf/hub") / repository / "refs/main", commit + "\n");
    for (const char* file : files) folder_.write(snapshot / file, "{}");
    return folder_.path() / snapshot;
  }

  TemporaryFolder folder_;
  Environment environment_;
};

TEST_F(ModelStoreTest, IsOfflineWhereHuggingFacesLibrariesAre) {
  for (const char* value : {"1", "ON", "true", "Yes"}) {
    environment_.set("HF_HUB_OFFLINE", value);
    const Result<fs::path> folder = ModelStore().resolve("org/missing");
    ASSERT_FALSE(folder) << value;
    EXPECT_EQ(folder.error().code, ErrorCode::kNotFound) << folder.error().message;
    EXPECT_NE(folder.error().message.find("offline"), std::string::npos) << folder.error().message;
  }
  environment_.set("HF_HUB_OFFLINE", "0");
  EXPECT_EQ(ModelStore().resolve("org/missing").error().code, ErrorCode::kNetwork);
}

TEST_F(ModelStoreTest, ExpandsTildesAndVariables) {
  const fs::path whole = cache("models--org--whole", {"config.json", "tokenizer.json", "model.safetensors"});
  environment_.set("HOME", folder_.path().string());
  environment_.set("HF_HOME", "~/hf");
  EXPECT_EQ(ModelStore().resolve_id("org/whole").value_or(""), whole);
  environment_.set("HF_HOME", "$HOME/${TANDEM_TEST_FOLDER}");
  environment_.set("TANDEM_TEST_FOLDER", "hf");
  EXPECT_EQ(ModelStore().resolve_id("org/whole").value_or(""), whole);
  environment_.set("HF_HOME", "");
  environment_.set("HF_HUB_CACHE", "~/hf/hub");
  EXPECT_EQ(ModelStore().resolve_id("org/whole").value_or(""), whole);
}

TEST_F(ModelStoreTest, TakesAFolderAsItIs) {
  const fs::path model = folder_.write("my model/config.json", "{}").parent_path();
  EXPECT_EQ(ModelStore().resolve(model.string()).value_or(""), model);
  EXPECT_EQ(ModelStore({.home = {}, .offline = true}).resolve(model.string()).value_or(""), model);
}

TEST_F(ModelStoreTest, AnIdIsNoFolderWhereverTheProgramWasStarted) {
  const fs::path planted = folder_.write("work/org/whole/config.json", "{}").parent_path();
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path() / "work");
  const ModelStore store({.home = {}, .offline = true});
  EXPECT_EQ(store.resolve("org/whole").value_or(""), "org/whole") << "what the user gives may be a folder";
  const Result<fs::path> missing = store.resolve_id("org/whole");
  ASSERT_FALSE(missing) << *missing;
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  const fs::path whole = cache("models--org--whole", {"config.json", "tokenizer.json", "model.safetensors"});
  EXPECT_EQ(store.resolve_id("org/whole").value_or(""), whole);
  for (const std::string& path : {planted.string(), std::string("./org/whole")}) {
    EXPECT_EQ(store.resolve_id(path).error().code, ErrorCode::kInvalidArgument) << path;
  }
  fs::current_path(before);
}

TEST_F(ModelStoreTest, SaysThatANameIsNeitherAFolderNorAnId) {
  for (const char* name : {"./missing", "/missing/model", "a/b/c", "", "--model"}) {
    const Result<fs::path> folder = ModelStore().resolve(name);
    ASSERT_FALSE(folder) << name;
    EXPECT_EQ(folder.error().code, ErrorCode::kNotFound) << name;
  }
  const Result<fs::path> folder = ModelStore().pull("../model");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ModelStoreTest, PullsWhatIsNotHereAndFindsItAgain) {
  FakeHub hub;
  for (const char* file : {"config.json", "tokenizer.json", "model.safetensors"}) {
    hub.serve(std::string("sentence-transformers/tiny/") + file, "{}");
  }
  environment_.set("HF_ENDPOINT", hub.endpoint() + "/");
  environment_.set("HF_TOKEN", "secret");
  hub.set_faults(R"({"token": "secret"})");
  const ModelStore store;
  EXPECT_EQ(store.home(), folder_.path() / "home");
  const Result<fs::path> folder = store.resolve("tiny");  // Of the organisation that such names mean.
  ASSERT_TRUE(folder) << folder.error().message;
  const std::size_t requests = hub.requests().size();
  EXPECT_EQ(store.resolve("sentence-transformers/tiny").value_or(""), *folder);
  EXPECT_EQ(ModelStore({.home = {}, .offline = true}).pull("tiny").value_or(""), *folder);
  EXPECT_EQ(hub.requests().size(), requests);

  const Result<std::vector<StoredModel>> models = store.list();
  ASSERT_TRUE(models) << models.error().message;
  ASSERT_EQ(models->size(), 1U);
  EXPECT_EQ(models->front().id, "sentence-transformers/tiny");
  EXPECT_EQ(models->front().folder, *folder);
  EXPECT_EQ(models->front().size_bytes, 6U);
  EXPECT_TRUE(models->front().source.starts_with("hub main ")) << models->front().source;
}

TEST_F(ModelStoreTest, ReadsTheTokenThatALoginLeft) {
  FakeHub hub;
  for (const char* file : {"config.json", "model.safetensors"}) hub.serve(std::string("org/tiny/") + file, "{}");
  hub.set_faults(R"({"token": "from-login"})");
  environment_.set("HF_ENDPOINT", hub.endpoint());
  EXPECT_FALSE(ModelStore().pull("org/tiny"));
  folder_.write("hf/token", "from-login\n");
  EXPECT_TRUE(ModelStore().pull("org/tiny"));
}

TEST_F(ModelStoreTest, TakesAnyTokenThatIsOneWord) {
  const auto token = []() -> std::string {
    const Result<HubOptions> options = hub_options_from_environment();
    if (options) return options->http.bearer_token;
    EXPECT_EQ(options.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(options.error().message.find("hf_"), std::string::npos) << options.error().message;
    return "refused";
  };
  for (const char* text : {"hf_x", " hf_x", "hf_x\n", "\t hf_x \r\n"}) {
    environment_.set("HF_TOKEN", text);
    EXPECT_EQ(token(), "hf_x");
    environment_.set("HF_TOKEN", " ");
    folder_.write("hf/token", text);
    EXPECT_EQ(token(), "hf_x");
  }
  for (const char* text : {"hf_x y", "hf_x\nHost: evil", "hf_\x1b[2J", "hf_x\x7f", "hf_\xc3\xa4"}) {
    environment_.set("HF_TOKEN", text);
    EXPECT_EQ(token(), "refused") << text;
    environment_.set("HF_TOKEN", "");
    folder_.write("hf/token", text);
    EXPECT_EQ(token(), "refused") << text;
  }
  fs::remove(folder_.path() / "hf/token");
  EXPECT_EQ(token(), "");
  ASSERT_EQ(::mkfifo((folder_.path() / "hf/token").c_str(), 0600), 0);
  EXPECT_EQ(token(), "refused");  // And it returns.
}

TEST_F(ModelStoreTest, UsesTheCacheOfHuggingFace) {
  const fs::path whole = cache("models--org--whole", {"config.json", "tokenizer.json", "model.safetensors"});
  cache("models--org--part", {"config.json", "tokenizer.json"});
  cache("datasets--org--data", {"config.json", "tokenizer.json", "model.safetensors"});
  const ModelStore store({.home = {}, .offline = true});
  EXPECT_EQ(store.resolve("org/whole").value_or(""), whole);
  EXPECT_EQ(store.resolve("org/whole", {.revision = kCommit, .source = ModelSource::kAuto, .call = {}}).value_or(""),
            whole);
  for (const char* id : {"org/part", "org/other"}) {
    const Result<fs::path> folder = store.resolve(id);
    ASSERT_FALSE(folder);
    EXPECT_EQ(folder.error().code, ErrorCode::kNotFound);
    EXPECT_NE(folder.error().message.find("offline mode"), std::string::npos) << folder.error().message;
  }

  const Result<std::vector<StoredModel>> models = store.list();
  ASSERT_TRUE(models) << models.error().message;
  ASSERT_EQ(models->size(), 1U);
  EXPECT_EQ(models->front().id, "org/whole");
  EXPECT_EQ(models->front().folder, whole);
  EXPECT_EQ(models->front().source, "hugging face cache");
}

TEST_F(ModelStoreTest, FindsTheCacheWhereHuggingFacesLibrariesDo) {
  const fs::path whole = cache("models--org--whole", {"config.json", "tokenizer.json", "model.safetensors"});
  const ModelStore store({.home = {}, .offline = true});
  const fs::path hub = folder_.path() / "hf/hub";
  environment_.set("HOME", folder_.path().string());
  environment_.set("HF_HOME", "");
  for (const char* value : {hub.c_str(), "~/hf/hub"}) {
    environment_.set("HUGGINGFACE_HUB_CACHE", value);
    EXPECT_EQ(store.resolve_id("org/whole").value_or(""), whole) << value;
  }
  environment_.set("HF_HUB_CACHE", (folder_.path() / "elsewhere").string());  // Goes before its older name.
  EXPECT_FALSE(store.resolve_id("org/whole"));
  environment_.set("HF_HUB_CACHE", "");
  environment_.set("HUGGINGFACE_HUB_CACHE", "");
  fs::rename(folder_.path() / "hf", folder_.path() / "huggingface");
  environment_.set("XDG_CACHE_HOME", folder_.path().string());
  EXPECT_TRUE(store.resolve_id("org/whole"));
  environment_.set("XDG_CACHE_HOME", "~");
  EXPECT_TRUE(store.resolve_id("org/whole"));
}

TEST_F(ModelStoreTest, ABareNameIsItsOwnWhereTheHubOrThisMachineHasOne) {
  const std::vector<const char*> files = {"config.json", "tokenizer.json", "model.safetensors"};
  const fs::path bert = cache("models--bert-base-uncased", files);
  const fs::path own = cache("models--my-encoder", files);
  const ModelStore store({.home = {}, .offline = true});
  EXPECT_EQ(store.resolve("bert-base-uncased").value_or(""), bert);
  EXPECT_EQ(store.resolve("my-encoder").value_or(""), own);
  const std::vector<StoredModel> listed = store.list().value();
  ASSERT_EQ(listed.size(), 2U);
  for (const StoredModel& model : listed) {
    EXPECT_EQ(store.resolve(model.id).value_or(""), model.folder) << model.id;
  }
  const auto message = [&store](const char* name) { return store.resolve(name).error().message; };
  EXPECT_TRUE(message("gpt2").starts_with("gpt2 (revision main) is neither in ")) << message("gpt2");
  EXPECT_TRUE(message("other").starts_with("sentence-transformers/other (revision main) ")) << message("other");
  // sentence-transformers would take its own organisation's.
  const fs::path organisations = cache("models--sentence-transformers--my-encoder", files);
  EXPECT_EQ(store.resolve("my-encoder").value_or(""), organisations);
}

class PartialSnapshotTest : public ModelStoreTest {
 protected:
  PartialSnapshotTest() {
    for (const char* file : {"config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json"}) {
      hub_.serve(std::string("org/part/") + file, "{}");
    }
    hub_.serve("org/part/model.safetensors", "weights");
    environment_.set("HF_ENDPOINT", hub_.endpoint());
    commit_ = HubClient(hub_.options()).snapshot("org/part", "main").value().commit;
    snapshot_ = cache("models--org--part", {"config.json", "tokenizer.json"}, commit_);
    add("model.safetensors", "weights");
  }

  /// Of the hub, since the test began.
  std::size_t requests() const { return hub_.requests().size() - 1; }

  void add(const std::string& file, const std::string& content) const {
    folder_.write((snapshot_ / file).lexically_relative(folder_.path()), content);
  }

  FakeHub hub_;
  std::string commit_;
  fs::path snapshot_;
};

TEST_F(PartialSnapshotTest, IsCompletedFromTheHub) {
  const Result<fs::path> folder = ModelStore().resolve("org/part");
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(*folder, folder_.path() / "home/models" / ("org--part@" + commit_));
  EXPECT_TRUE(fs::exists(*folder / "1_Pooling/config.json"));
  EXPECT_TRUE(hub_.requests("model.safetensors").empty()) << "the cache has it";
  const std::size_t requests_before = requests();
  EXPECT_EQ(ModelStore().resolve("org/part").value_or(""), *folder);
  EXPECT_EQ(ModelStore({.home = {}, .offline = true}).resolve("org/part").value_or(""), *folder);
  EXPECT_EQ(requests(), requests_before);
}

TEST_F(PartialSnapshotTest, IsCompletedWhereAModuleIsMissing) {
  add("modules.json", R"([{"path":"","type":"sentence_transformers.models.Transformer"},
                          {"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}])");
  EXPECT_EQ(ModelStore({.home = {}, .offline = true}).resolve("org/part").value_or(""), snapshot_);
  EXPECT_NE(ModelStore().resolve("org/part").value_or(snapshot_), snapshot_);
  add("1_Pooling/config.json", "{}");
  fs::remove_all(folder_.path() / "home");
  const std::size_t requests_before = requests();
  EXPECT_EQ(ModelStore().resolve("org/part").value_or(""), snapshot_);
  EXPECT_EQ(requests(), requests_before);
}

TEST_F(PartialSnapshotTest, IsTakenAsItIsWhereTheHubHasNoMore) {
  const FakeHub other;
  environment_.set("HF_ENDPOINT", other.endpoint());
  EXPECT_EQ(ModelStore().resolve("org/part").value_or(""), snapshot_);  // It does not know the model.
  environment_.set("HF_ENDPOINT", "http://127.0.0.1:1");
  EXPECT_EQ(ModelStore().resolve("org/part").value_or(""), snapshot_);
}

TEST_F(PartialSnapshotTest, AsksNobodyWhereThatIsKnownOrNotAllowed) {
  EXPECT_EQ(ModelStore({.home = {}, .offline = true}).resolve("org/part").value_or(""), snapshot_);
  BiEncoderIdentity encoder;
  encoder.model = "org/part";
  EXPECT_EQ(ModelStore().resolve_named(encoder)->model, snapshot_) << "data names it";
  add("config.json", R"({"architectures":["BertForSequenceClassification"]})");
  EXPECT_EQ(ModelStore().resolve("org/part").value_or(""), snapshot_);
  add("config.json", "{}");
  folder_.write(fs::path("hf/hub/models--org--part/.no_exist") / commit_ / "modules.json", "");
  EXPECT_EQ(ModelStore().resolve("org/part").value_or(""), snapshot_);
  EXPECT_EQ(requests(), 0U);
}

TEST_F(ModelStoreTest, TakesARevisionForANameAndNeverForAPath) {
  const fs::path snapshot = cache("models--org--whole", {"config.json", "tokenizer.json", "model.safetensors"});
  const ModelStore store({.home = {}, .offline = true});
  for (const std::string& revision :
       {std::string("../snapshots/") + kCommit, snapshot.string(), std::string(), std::string("-main")}) {
    PullOptions options;
    options.revision = revision;
    for (const Result<fs::path>& folder : {store.resolve("org/whole", options), store.pull("org/whole", options)}) {
      ASSERT_FALSE(folder) << revision;
      EXPECT_EQ(folder.error().code, ErrorCode::kInvalidArgument) << folder.error().message;
    }
  }
}

TEST_F(ModelStoreTest, TakesAReferenceOfTheCacheForACommitAndNeverForAPath) {
  const std::vector<const char*> files = {"config.json", "tokenizer.json", "model.safetensors"};
  const fs::path repository = cache("models--org--whole", files).parent_path().parent_path();
  const fs::path elsewhere = folder_.write("elsewhere/config.json", "{}").parent_path();
  for (const char* file : files) folder_.write(fs::path("elsewhere") / file, "{}");
  const ModelStore store({.home = {}, .offline = true});
  for (const std::string& content :
       {elsewhere.string(), std::string("../../../../../elsewhere"), std::string("."), std::string("0123abcd"),
        std::string(), std::string(1000, '0'), kCommit + std::string(" x")}) {
    folder_.write(repository.lexically_relative(folder_.path()) / "refs/main", content);
    EXPECT_FALSE(store.resolve("org/whole")) << content;
    EXPECT_TRUE(store.list()->empty()) << content;
  }
  fs::remove(repository / "refs/main");
  ASSERT_EQ(::mkfifo((repository / "refs/main").c_str(), 0600), 0);
  EXPECT_FALSE(store.resolve("org/whole"));  // And it returns.
}

TEST_F(ModelStoreTest, ListsOnlyWhatItsNamesAgreeAbout) {
  const auto record = [](const char* id) {
    return fmt::format(R"({{"format":1,"id":"{}","revision":"main","source":"hub","version":"0","files":[]}})", id);
  };
  folder_.write("home/models/org--model/tandem.json", record("org/model"));
  folder_.write("home/models/org--other/tandem.json", record("org/model"));
  folder_.write("home/models/a/tandem.json", record("../../x"));
  folder_.write("home/models/org--third/tandem.json",
                R"({"format":1,"id":"org/third","revision":"main","source":"a\nb","version":"0","files":[]})");
  cache("models--org--..", {"config.json", "tokenizer.json", "model.safetensors"});
  const Result<std::vector<StoredModel>> models = ModelStore().list();
  ASSERT_TRUE(models) << models.error().message;
  ASSERT_EQ(models->size(), 1U);
  EXPECT_EQ(models->front().folder, folder_.path() / "home/models/org--model");
}

TEST_F(ModelStoreTest, ListsNothingWhereThereIsNothing) {
  const Result<std::vector<StoredModel>> models = ModelStore().list();
  ASSERT_TRUE(models) << models.error().message;
  EXPECT_TRUE(models->empty());
  EXPECT_FALSE(fs::exists(folder_.path() / "home"));  // Looking makes no folders.
}

constexpr const char* kAdapterConfig = R"({"name":"x","hidden_size":8,"model_name":"org/base","config":
    {"mh_adapter":false,"output_adapter":true,"reduction_factor":2,"non_linearity":"relu"}})";

TEST_F(ModelStoreTest, AnAdaptersIdBringsTheModelThatItNames) {
  const fs::path base = cache("models--org--base", {"config.json", "tokenizer.json", "pytorch_model.bin"});
  const fs::path adapter = cache("models--allenai--specter2", {"pytorch_adapter.bin"});
  folder_.write(adapter.lexically_relative(folder_.path()) / "adapter_config.json", kAdapterConfig);
  const ModelStore store({.home = {}, .offline = true});
  const Result<ModelFolders> folders = store.resolve_with_adapter("allenai/specter2");
  ASSERT_TRUE(folders) << folders.error().message;
  EXPECT_EQ(folders->model, base);
  EXPECT_EQ(folders->adapter, adapter);
  EXPECT_EQ(store.resolve_with_adapter(adapter.string())->model, base);
  EXPECT_EQ(store.resolve_with_adapter("org/base")->model, base);
  EXPECT_EQ(store.resolve_with_adapter("org/base")->adapter, std::nullopt);
}

TEST_F(ModelStoreTest, SaysThatAnAdapterNamesNoModel) {
  std::string config = kAdapterConfig;
  config.replace(config.find("org/base"), 8, "");
  const fs::path adapter = folder_.write("adapter/adapter_config.json", config).parent_path();
  const Result<ModelFolders> folders = ModelStore().resolve_with_adapter(adapter.string());
  ASSERT_FALSE(folders);
  EXPECT_EQ(folders.error().code, ErrorCode::kNotFound);
  EXPECT_NE(folders.error().message.find("does not say which model"), std::string::npos) << folders.error().message;
}

BiEncoderIdentity encoder_named(const std::string& model, char digit) {
  BiEncoderIdentity identity;
  identity.model = model;
  identity.weights_hash = "sha256:" + std::string(64, digit);
  return identity;
}

TEST_F(ModelStoreTest, FindsTheFoldersThatTheUserGaveForAnEncoder) {
  const fs::path model = folder_.write("my model/config.json", "{}").parent_path();
  const fs::path adapter = folder_.write("adapter/adapter_config.json", "{}").parent_path();
  const ModelStore store({.home = {}, .offline = true});
  const BiEncoderIdentity encoder = encoder_named("my model", 'a');
  EXPECT_FALSE(store.resolve_named(encoder));
  const Status kept = store.remember(encoder, {.model = model / ".." / "my model", .adapter = adapter});
  ASSERT_TRUE(kept) << kept.error().message;
  const Result<ModelFolders> folders = store.resolve_named(encoder);
  ASSERT_TRUE(folders) << folders.error().message;
  EXPECT_EQ(folders->model, fs::canonical(model));
  EXPECT_EQ(folders->adapter, fs::canonical(adapter));
  EXPECT_FALSE(store.resolve_named(encoder_named("my model", 'b')));  // Other weights.

  ASSERT_TRUE(store.remember(encoder, {.model = model, .adapter = {}}));
  EXPECT_EQ(store.resolve_named(encoder)->adapter, std::nullopt);
  fs::remove_all(model);
  EXPECT_FALSE(store.resolve_named(encoder));
}

TEST_F(ModelStoreTest, RemembersNoFolderThatJsonCannotHold) {
  const fs::path model = folder_.write("m\xff/config.json", "{}").parent_path();
  const BiEncoderIdentity encoder = encoder_named("model", 'a');
  const Status kept = ModelStore().remember(encoder, {.model = model, .adapter = {}});
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, ErrorCode::kUnsupported);
  EXPECT_FALSE(fs::exists(folder_.path() / "home/given"));
}

TEST_F(ModelStoreTest, TakesNoHashFromDataIntoAPath) {
  const fs::path model = folder_.write("model/config.json", "{}").parent_path();
  folder_.write("home/given/x.json", R"({"format": 1, "model": ")" + model.string() + R"("})");
  for (const std::string hash : {"", "x", "sha256:", "sha256:x", "sha256:../given/x", "sha256:../../home/given/x"}) {
    BiEncoderIdentity encoder = encoder_named("model", 'a');
    encoder.weights_hash = hash;
    EXPECT_FALSE(ModelStore().resolve_named(encoder)) << hash;
    EXPECT_FALSE(ModelStore().remember(encoder, {.model = model, .adapter = {}})) << hash;
  }
}

TEST_F(ModelStoreTest, FetchesWhatDataNamesOnlyWhenItIsAllowedTo) {
  FakeHub hub;
  for (const char* file : {"config.json", "tokenizer.json", "model.safetensors"}) {
    hub.serve(std::string("org/base/") + file, "{}");
  }
  environment_.set("HF_ENDPOINT", hub.endpoint());
  const fs::path adapter = folder_.write("adapter/adapter_config.json", kAdapterConfig).parent_path();
  folder_.write("adapter/pytorch_adapter.bin", "{}");
  const ModelStore store;
  Result<ModelFolders> folders = store.resolve_with_adapter(adapter.string());
  ASSERT_FALSE(folders);
  EXPECT_EQ(folders.error().code, ErrorCode::kNotFound);
  EXPECT_NE(folders.error().message.find("--fetch-named"), std::string::npos) << folders.error().message;
  folders = store.resolve_named(encoder_named("org/base", 'a'));
  ASSERT_FALSE(folders);
  EXPECT_NE(folders.error().message.find("--fetch-named"), std::string::npos) << folders.error().message;
  EXPECT_TRUE(hub.requests().empty());

  PullOptions options;
  options.fetch_named = true;
  folders = store.resolve_with_adapter(adapter.string(), options);
  ASSERT_TRUE(folders) << folders.error().message;
  EXPECT_EQ(folders->model, folder_.path() / "home/models/org--base");
  EXPECT_TRUE(store.resolve_named(encoder_named("org/base", 'a')));  // It is here now.
}

TEST_F(ModelStoreTest, AsksNoHubForTheNameOfAFolder) {
  const FakeHub hub;
  environment_.set("HF_ENDPOINT", hub.endpoint());
  const fs::path model = folder_.write("my-secret-model/config.json", "{}").parent_path();
  const BiEncoderIdentity encoder = encoder_named("my-secret-model", 'a');
  const ModelStore store;
  PullOptions options;
  options.fetch_named = true;
  const auto message = [&] { return store.resolve_named(encoder, options).error().message; };
  EXPECT_EQ(message(),
            "\"my-secret-model\" is the name of a folder, and none with its weights was given to tandem index on this "
            "machine");
  ASSERT_TRUE(store.remember(encoder, {.model = model, .adapter = {}}));
  fs::rename(model, folder_.path() / "moved");
  EXPECT_EQ(message(),
            fmt::format("\"my-secret-model\" is the name of a folder, which was {} and is not there any more",
                        fs::canonical(folder_.path()).append("my-secret-model").string()));
  EXPECT_TRUE(hub.requests().empty());
}

TEST_F(ModelStoreTest, FollowsNoPathThatDataNames) {
  const fs::path model = folder_.write("model/config.json", "{}").parent_path();
  PullOptions options;
  options.fetch_named = true;
  for (const std::string& name : {model.string(), "../" + model.filename().string(), std::string("./model")}) {
    const Result<ModelFolders> folders = ModelStore().resolve_named(encoder_named(name, 'a'), options);
    ASSERT_FALSE(folders) << name;
    EXPECT_EQ(folders.error().code, ErrorCode::kNotFound);
    EXPECT_NE(folders.error().message.find("a path that data names"), std::string::npos) << folders.error().message;
  }
}

}  // namespace
}  // namespace tandem
