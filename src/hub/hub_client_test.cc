#include "hub/hub_client.h"

#include <gtest/gtest.h>

#include <cctype>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <stop_token>
#include <thread>

#include "hub/testing/fake_hub.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModel = "org/model";

std::string content_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// A hub with one model: a small file and a large one, which it redirects to the other server.
class HubClientTest : public testing::Test {
 protected:
  HubClientTest() : weights_(noise(100'000)) {
    hub_.serve("org/model/config.json", config_);
    hub_.serve("org/model/model.safetensors", weights_);
  }

  HubSnapshot snapshot(const HubOptions& options) const {
    Result<HubSnapshot> snapshot = HubClient(options).snapshot(kModel, "main");
    EXPECT_TRUE(snapshot) << snapshot.error().message;
    return snapshot ? *snapshot : HubSnapshot();
  }

  /// Lists and fetches the two files.
  Status fetch_all(const HubOptions& options) const {
    const HubClient client(options);
    ASSIGN_OR_RETURN(const HubSnapshot snapshot, client.snapshot(kModel, "main"));
    for (const ModelFile& file : snapshot.files) RETURN_IF_ERROR(client.fetch(snapshot, file, folder_.path(), {}));
    return {};
  }

  void expect_fetched() const {
    EXPECT_EQ(content_of(folder_.path() / "config.json"), config_);
    EXPECT_TRUE(content_of(folder_.path() / "model.safetensors") == weights_);
    EXPECT_FALSE(fs::exists(folder_.path() / "model.safetensors.part"));
  }

  /// The ranges asked of the server that has the large file.
  std::vector<std::string> ranges() const {
    std::vector<std::string> ranges;
    for (const FakeHub::Request& request : hub_.requests("/blobs/")) ranges.push_back(request.range);
    return ranges;
  }

  const std::string config_ = "{}";
  const std::string weights_;
  FakeHub hub_;
  TemporaryFolder folder_;
};

TEST(HubSnapshot, AFileThatIsListedTwiceIsFetchedOnce) {
  const std::string answer =
      fmt::format(R"({{"sha":"{}","siblings":[{}, {}]}})", std::string(40, 'a'),
                  R"({"rfilename":"model.safetensors","size":1})", R"({"rfilename":"model.safetensors","size":2})");
  const auto snapshot = parse_hub_snapshot(answer, "hub");
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  ASSERT_EQ(snapshot->files.size(), 1U);
  EXPECT_EQ(snapshot->files[0].size_bytes, 2U);
}

/// The hashes of the one file that a hub lists with these members, or what is wrong with them.
std::string hashes_of(const std::string& members) {
  const auto snapshot =
      parse_hub_snapshot(fmt::format(R"({{"sha":"{}","siblings":[{{"rfilename":"README.md","blobId":"none"}},
                                              {{"rfilename":"model.safetensors","size":1{}}}]}})",
                                     std::string(40, 'a'), members),
                         "hub");
  if (!snapshot) return snapshot.error().message;
  return snapshot->files[0].sha256 + "/" + snapshot->files[0].git_blob_sha1;
}

TEST(HubSnapshot, AHashIsOneOrIsAnError) {
  const std::string sha1(40, 'b');
  const std::string sha256(64, 'c');
  EXPECT_EQ(hashes_of(""), "/");
  EXPECT_EQ(hashes_of(R"(,"blobId":")" + sha1 + R"(")"), "/" + sha1);
  EXPECT_EQ(hashes_of(R"(,"blobId":")" + std::string(40, 'B') + R"(")"), "/" + sha1);
  EXPECT_EQ(hashes_of(R"(,"blobId":")" + sha1 + R"(","lfs":{"sha256":")" + std::string(64, 'C') + R"("})"),
            sha256 + "/");
  EXPECT_EQ(hashes_of(R"(,"blobId":")" + sha1 + R"(","lfs":{})"), "/" + sha1) << "nothing points elsewhere";
  EXPECT_EQ(hashes_of(R"(,"lfs":{"sha256":"sha256:)" + sha256 + R"("})"),
            "hub: model.safetensors: sha256 is \"sha256:" + sha256 + "\", want 64 hexadecimal digits");
  EXPECT_EQ(hashes_of(R"(,"blobId":"")"), R"(hub: model.safetensors: blobId is "", want 40 hexadecimal digits)");
}

TEST(HttpClient, ShowsNoUserinfo) {
  for (const auto& [url, shown] : {std::pair("http://user:secret@host:1/a", "http://host:1/a"),
                                   {"https://secret@host", "https://host"},
                                   {"HTTP://user:se/cr?e#t@host/", "HTTP://host/"},
                                   {"user:secret@host/x", "host/x"},
                                   {"user:se://cret@host", "host"},
                                   {"http://host/x", "http://host/x"}}) {
    EXPECT_EQ(without_userinfo(url), shown);
  }
  EXPECT_EQ(without_userinfos("a@b: no 'http://u:secret@h:99999'\n  <https://u:p@h/x>, http://h/y"),
            "a@b: no 'http://h:99999'\n  <https://h/x>, http://h/y");
  HubOptions options;
  options.http.attempts_max = 1;
  for (const char* endpoint : {"http://user:secret@127.0.0.1:1", "user:secret@127.0.0.1:1", "ftp://user:secret@x",
                               "http://user:se/cret@127.0.0.1:1", "http://user:secret@[x"}) {
    options.endpoint = endpoint;
    const auto found = HubClient(options).snapshot(kModel, "main");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().message.find("cret"), std::string::npos) << found.error().message;
  }
}

TEST(HttpResponse, ReadsTheHeadersOfAnAnswerAndOfThoseBeforeIt) {
  HttpResponse response;
  for (const char* line : {"HTTP/1.1 302 Found\r\n", "ETag: \"first\"\r\n", "Retry-After: 7\r\n", "\r\n",
                           "HTTP/2 206\r\n", "etag: second\r\n", "Content-Range: bytes 5-9/10\r\n"}) {
    response.take_header(line);
  }
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(response.header("etag"), "\"first\"");
  EXPECT_EQ(response.range_begin(), 5U);
  EXPECT_EQ(response.retry_after_s(), 0U);
  response.take_header("HTTP/1.1 18446744073709551615\r\n");
  EXPECT_EQ(response.status, 0);
  EXPECT_EQ(response.range_begin(), std::nullopt);
}

TEST(HubClient, FetchesOnlyWhatIsRead) {
  EXPECT_EQ(files_to_fetch({".gitattributes",
                            "README.md",
                            "1_Pooling/config.json",
                            "2_Dense/model.safetensors",
                            "2_Dense/pytorch_model.bin",
                            "config.json",
                            "model.safetensors",
                            "modules.json",
                            "onnx/model.onnx",
                            "onnx/config.json",
                            "openvino/openvino_model.xml",
                            "pytorch_model.bin",
                            "rust_model.ot",
                            "sentence_bert_config.json",
                            "tf_model.h5",
                            "tokenizer.json",
                            "vocab.txt",
                            "train_script.py",
                            "original/1_X/config.json",
                            "adapter_model.safetensors"}),
            (std::vector<std::string>{"1_Pooling/config.json", "2_Dense/model.safetensors", "config.json",
                                      "model.safetensors", "modules.json", "sentence_bert_config.json",
                                      "tokenizer.json", "vocab.txt"}));
  EXPECT_EQ(files_to_fetch({"pytorch_model.bin", "2_Dense/pytorch_model.bin", "model-00001-of-00002.safetensors",
                            "model-00002-of-00002.safetensors", "model.safetensors.index.json"}),
            (std::vector<std::string>{"2_Dense/pytorch_model.bin", "model-00001-of-00002.safetensors",
                                      "model-00002-of-00002.safetensors", "model.safetensors.index.json"}));
  EXPECT_EQ(files_to_fetch({"README.md", "adapter_config.json", "pytorch_adapter.bin"}),
            (std::vector<std::string>{"adapter_config.json", "pytorch_adapter.bin"}));
  EXPECT_EQ(files_to_fetch({"adapter_config.json", "adapter.safetensors", "pytorch_adapter.bin", "pytorch_model.bin"}),
            (std::vector<std::string>{"adapter.safetensors", "adapter_config.json", "pytorch_model.bin"}));
  EXPECT_EQ(files_to_fetch({"../config.json", "1_a/../config.json", "/config.json", "1_/../../config.json",
                            "1_\x1b[2J/config.json"}),
            std::vector<std::string>());
}

TEST_F(HubClientTest, ListsAModelWithSizesAndHashes) {
  const HubSnapshot found = snapshot(hub_.options());
  EXPECT_EQ(found.commit.size(), 40U);
  ASSERT_EQ(found.files.size(), 2U);
  EXPECT_EQ(found.files[0].name, "config.json");
  // `printf '{}' | git hash-object --stdin` of git 2.39.
  EXPECT_EQ(found.files[0].git_blob_sha1, "9e26dfeeb6e641a33dae4961196235bdb965b21b");
  EXPECT_EQ(found.files[1].name, "model.safetensors");
  EXPECT_EQ(found.files[1].size_bytes, weights_.size());
  EXPECT_EQ(found.files[1].sha256.size(), 64U);
  EXPECT_TRUE(found.files[1].git_blob_sha1.empty());
}

TEST_F(HubClientTest, FetchesByWayOfARedirect) {
  std::uint64_t done = 0;
  const CallOptions call{.progress = [&done](const Progress& progress) {
    EXPECT_EQ(progress.unit, "bytes");
    done = progress.done;
  }};
  const HubClient client(hub_.options());
  const HubSnapshot found = snapshot(hub_.options());
  for (const ModelFile& file : found.files) ASSERT_TRUE(client.fetch(found, file, folder_.path(), call));
  expect_fetched();
  EXPECT_EQ(done, weights_.size());
  ASSERT_TRUE(client.fetch(found, found.files[1], folder_.path(), {}));  // It is here already.
  EXPECT_EQ(ranges(), std::vector<std::string>{""});
}

TEST_F(HubClientTest, ShowsItsTokenToTheHubAlone) {
  hub_.set_faults(R"({"token": "secret"})");
  HubOptions options = hub_.options();
  options.http.bearer_token = "secret";
  ASSERT_TRUE(fetch_all(options));
  expect_fetched();
  for (const FakeHub::Request& request : hub_.requests()) {
    const bool is_hub = request.port != static_cast<std::uint64_t>(hub_.storage_port());
    EXPECT_EQ(request.authorization, is_hub ? "Bearer secret" : "") << request.path;
  }
}

TEST_F(HubClientTest, ShowsItsTokenToOtherMachinesOnlyOverTls) {
  HubOptions options = hub_.options();
  options.http.bearer_token = "secret-token";
  options.http.attempts_max = 1;
  options.http.connect_timeout_ms = 200;
  const auto code_for = [&](const std::string& url) {
    const Result<HttpResponse> response = HttpClient(options.http).get(url);
    if (response) return std::optional<ErrorCode>();
    EXPECT_EQ(response.error().message.find("secret-token"), std::string::npos) << response.error().message;
    return std::optional(response.error().code);
  };
  // Nothing listens there; what counts is that it was tried.
  for (const char* url : {"http://localhost:1/", "http://LOCALHOST:1/", "http://127.0.0.1:1/", "http://127.1.2.3:1/",
                          "http://[::1]:1/", "https://127.0.0.1:1/"}) {
    EXPECT_EQ(code_for(url), ErrorCode::kNetwork) << url;
  }
  for (const char* url :
       {"http://0.0.0.0:1/", "http://hub.invalid/", "http://localhost.invalid/", "http://127.0.0.1.invalid/",
        "http://localhost@hub.invalid/", "HTTP://hub.invalid/", "http://128.0.0.1:1/", "hub.invalid/https:"}) {
    EXPECT_EQ(code_for(url), ErrorCode::kInvalidArgument) << url;
  }
  // 0.0.0.0 leads to the test's hub, but is no name of this machine.
  options.endpoint.replace(options.endpoint.find("127.0.0.1"), 9, "0.0.0.0");
  const Result<HubSnapshot> refused = HubClient(options).snapshot(kModel, "main");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().message.find("--token-over-http"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(hub_.requests().empty());
  options.http.token_over_http = true;
  EXPECT_TRUE(HubClient(options).snapshot(kModel, "main"));
  EXPECT_EQ(hub_.requests().front().authorization, "Bearer secret-token");
}

TEST_F(HubClientTest, GoesOnWhereAConnectionWasDropped) {
  hub_.set_faults(R"({"drop_after": {"model.safetensors": [40000, 80000]}})");
  const Status status = fetch_all(hub_.options());
  ASSERT_TRUE(status) << status.error().message;
  expect_fetched();
  EXPECT_EQ(ranges(), (std::vector<std::string>{"", "bytes=40000-", "bytes=80000-"}));
}

TEST_F(HubClientTest, GoesOnAfterATransferThatStalls) {
  hub_.set_faults(R"({"stall_after": {"model.safetensors": [40000]}})");
  const Status status = fetch_all(hub_.options());
  ASSERT_TRUE(status) << status.error().message;
  expect_fetched();
  EXPECT_EQ(ranges(), (std::vector<std::string>{"", "bytes=40000-"}));
}

TEST_F(HubClientTest, NoticesAnEarlyEndWithoutAContentLength) {
  hub_.set_faults(R"({"no_length": true, "drop_after": {"model.safetensors": [40000]}})");
  const Status status = fetch_all(hub_.options());
  ASSERT_TRUE(status) << status.error().message;
  expect_fetched();
}

TEST_F(HubClientTest, StartsAfreshWhereAServerKnowsNoRanges) {
  hub_.set_faults(R"({"no_range": true, "drop_after": {"model.safetensors": [40000]}})");
  const Status status = fetch_all(hub_.options());
  ASSERT_TRUE(status) << status.error().message;
  expect_fetched();
}

TEST_F(HubClientTest, GivesUpAfterTriesThatBringNothing) {
  hub_.set_faults(R"({"drop_after": {"model.safetensors": [40000, 40000, 40000, 40000, 40000, 40000]}})");
  const Status status = fetch_all(hub_.options());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNetwork);
  EXPECT_EQ(ranges().size(), 4U);  // One that brought something, and three tries from there.
  EXPECT_FALSE(fs::exists(folder_.path() / "model.safetensors"));
  EXPECT_EQ(fs::file_size(folder_.path() / "model.safetensors.part"), 40000U);
}

TEST_F(HubClientTest, RefusesAWrongChecksum) {
  hub_.set_faults(R"({"damage": {"model.safetensors": true}})");
  const Status status = fetch_all(hub_.options());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(status.error().message.find("SHA-256"), std::string::npos) << status.error().message;
  EXPECT_FALSE(fs::exists(folder_.path() / "model.safetensors"));
  EXPECT_FALSE(fs::exists(folder_.path() / "model.safetensors.part"));
}

TEST_F(HubClientTest, RefusesAWrongChecksumOfASmallFile) {
  hub_.set_faults(R"({"damage": {"config.json": true}})");
  const Status status = fetch_all(hub_.options());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(status.error().message.find("git blob SHA-1"), std::string::npos) << status.error().message;
}

TEST_F(HubClientTest, TakesHashesFromHeadersWhereTheListingHasNone) {
  hub_.set_faults(R"({"no_hashes": true})");
  const Status status = fetch_all(hub_.options());
  ASSERT_TRUE(status) << status.error().message;
  expect_fetched();
  for (const char* file : {"model.safetensors", "config.json"}) {
    fs::remove(folder_.path() / file);
    hub_.set_faults(fmt::format(R"({{"no_hashes": true, "damage": {{"{}": true}}}})", file));
    const Status damaged = fetch_all(hub_.options());
    ASSERT_FALSE(damaged) << file;
    EXPECT_EQ(damaged.error().code, ErrorCode::kCorruptData);
  }
}

TEST_F(HubClientTest, RecoversFromAPartThatWasDamaged) {
  folder_.write("model.safetensors.part", std::string(1000, 'x'));
  const Status status = fetch_all(hub_.options());
  ASSERT_TRUE(status) << status.error().message;
  expect_fetched();
  folder_.write("config.json.part", "more than the whole file");
  fs::remove(folder_.path() / "config.json");
  ASSERT_TRUE(fetch_all(hub_.options()));
  expect_fetched();
}

TEST_F(HubClientTest, TakesNoFileThatAnotherHubHasLeft) {
  for (const char* faults : {"{}", R"({"no_hashes": true})", R"({"no_hashes": true, "no_etag": true})"}) {
    hub_.set_faults(faults);
    for (const char* suffix : {"", ".part"}) {
      fs::remove(folder_.path() / "model.safetensors");
      folder_.write("model.safetensors" + std::string(suffix), std::string(weights_.size() - 1, 'x'));
      folder_.write("config.json" + std::string(suffix), "[]");
      const Status status = fetch_all(hub_.options());
      ASSERT_TRUE(status) << faults << suffix << status.error().message;
      expect_fetched();
      fs::remove(folder_.path() / "config.json");
    }
  }
}

TEST_F(HubClientTest, RefusesAnotherCommitThanTheOneAskedFor) {
  const std::string commit = snapshot(hub_.options()).commit;
  std::string upper = commit;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_TRUE(HubClient(hub_.options()).snapshot(kModel, commit));
  hub_.set_faults(fmt::format(R"({{"commit": "{}"}})", std::string(40, 'a')));
  for (const std::string& revision : {commit, upper}) {
    const Result<HubSnapshot> found = HubClient(hub_.options()).snapshot(kModel, revision);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::kCorruptData);
    EXPECT_NE(found.error().message.find("asked for the commit " + commit), std::string::npos) << found.error().message;
  }
  EXPECT_TRUE(HubClient(hub_.options()).snapshot(kModel, "main"));
}

TEST_F(HubClientTest, TriesAgainWhenTheServerIsBusy) {
  hub_.set_faults(R"({"status": {"/api/models/org/model/revision/main": [503, 429],
                                 "/blobs/org/model/model.safetensors": [500]}})");
  const Status status = fetch_all(hub_.options());
  ASSERT_TRUE(status) << status.error().message;
  expect_fetched();
}

TEST_F(HubClientTest, SaysThatTheServerStaysBusy) {
  hub_.set_faults(R"({"status": {"/api/models/org/model/revision/main": 503}, "retry_after": 3600})");
  HubOptions options = hub_.options();
  options.http.retry_wait_max_ms = 10;
  const Result<HubSnapshot> found = HubClient(options).snapshot(kModel, "main");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kNetwork);
  EXPECT_NE(found.error().message.find("HTTP status 503"), std::string::npos) << found.error().message;
  EXPECT_EQ(hub_.requests("/api/").size(), 3U);
}

TEST_F(HubClientTest, SaysWhatIsMissingOrForbidden) {
  const auto error_for = [this](const char* id, const char* revision, const std::string& faults, ErrorCode code) {
    hub_.set_faults(faults);
    const Result<HubSnapshot> found = HubClient(hub_.options()).snapshot(id, revision);
    if (found) return std::string("no error");
    EXPECT_EQ(found.error().code, code) << found.error().message;
    return found.error().message;
  };
  const auto expect_part = [](const std::string& message, const char* part) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  expect_part(error_for("org/other", "main", "{}", ErrorCode::kNotFound), "org/other does not exist");
  expect_part(error_for(kModel, "v9", R"({"error_code": "RevisionNotFound"})", ErrorCode::kNotFound),
              "has no revision v9");
  expect_part(error_for(kModel, "main", R"({"token": "secret"})", ErrorCode::kPermission), "set HF_TOKEN");
  expect_part(
      error_for(kModel, "main", R"({"status": {"/api/models/org/model/revision/main": 403}})", ErrorCode::kPermission),
      "403");
  expect_part(error_for(kModel, "main",
                        R"({"status": {"/api/models/org/model/revision/main": 403}, "error_code": "GatedRepo"})",
                        ErrorCode::kPermission),
              "is gated: accept its conditions at");
  expect_part(
      error_for(kModel, "main", R"({"status": {"/api/models/org/model/revision/main": 418}})", ErrorCode::kNetwork),
      "418");
  hub_.serve("org/empty/README.md", "nothing");
  expect_part(error_for("org/empty", "main", "{}", ErrorCode::kUnsupported), "has neither model.safetensors");
}

TEST_F(HubClientTest, GivesUpAtOnceOnAHubThatIsNotThere) {
  HubOptions options = hub_.options();
  options.endpoint = "http://127.0.0.1:1";
  options.http.retry_wait_ms = 60'000;  // A second try would be noticed.
  const Result<HubSnapshot> found = HubClient(options).snapshot(kModel, "main");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kNetwork);
}

TEST_F(HubClientTest, ReportsADiskThatIsFull) {
  const HttpClient http(hub_.options().http);
  const auto response =
      http.download({.url = fmt::format("http://127.0.0.1:{}/blobs/org/model/model.safetensors", hub_.storage_port()),
                     .file = "/dev/full",
                     .size_bytes = {},
                     .bytes_max = 1U << 20,
                     .on_progress = {}});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kNoSpace) << response.error().message;
}

TEST_F(HubClientTest, RefusesMoreBytesThanWereAnnounced) {
  const HttpClient http(hub_.options().http);
  const auto response =
      http.download({.url = fmt::format("http://127.0.0.1:{}/blobs/org/model/model.safetensors", hub_.storage_port()),
                     .file = folder_.path() / "file",
                     .size_bytes = weights_.size() - 1,
                     .bytes_max = {},
                     .on_progress = {}});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kCorruptData) << response.error().message;
}

TEST_F(HubClientTest, RefusesMoreBytesThanAFileMayHave) {
  const auto response =
      HttpClient(hub_.options().http)
          .download({.url = fmt::format("http://127.0.0.1:{}/blobs/org/model/model.safetensors", hub_.storage_port()),
                     .file = folder_.path() / "file",
                     .size_bytes = {},
                     .bytes_max = weights_.size() - 1,
                     .on_progress = {}});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kCorruptData) << response.error().message;
}

/// How long a call took, in seconds.
template <class Call>
double seconds_of(const Call& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST_F(HubClientTest, DoesNotTakeAFewBytesOfEachTryForProgress) {
  hub_.set_faults(R"({"bytes_per_try": {"model.safetensors": 1}})");
  const Status status = fetch_all(hub_.options());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNetwork) << status.error().message;
  EXPECT_EQ(ranges().size(), 3U);
}

TEST_F(HubClientTest, EndsADownloadThatIsTooSlowOnTheWhole) {
  hub_.serve("org/model/model.safetensors", noise(20'000'000));
  hub_.set_faults(R"({"bytes_per_try": {"model.safetensors": 20000}})");
  HubOptions options = hub_.options();
  options.http.stall_timeout_s = 60;
  options.http.time_ms_max = 1'000;
  options.http.bytes_per_s_min = std::uint64_t{1} << 30;
  Status status;
  EXPECT_LT(seconds_of([&] { status = fetch_all(options); }), 10.0);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNetwork);
  EXPECT_FALSE(fs::exists(folder_.path() / "model.safetensors"));
}

// In the middle of a transfer that stalls, of a slow one, and of the wait before another try.
TEST_F(HubClientTest, EndsSoonWhenItIsToldTo) {
  for (const char* faults :
       {R"({"stall_after": {"model.safetensors": [40000]}})", R"({"slow": {"model.safetensors": 3}})",
        R"({"drop_after": {"model.safetensors": [1]}})"}) {
    hub_.set_faults(faults);
    HubOptions options = hub_.options();
    options.http.stall_timeout_s = 60;
    options.http.bytes_per_s_min = 1;
    options.http.retry_wait_ms = 60'000;
    options.http.retry_wait_max_ms = 60'000;
    std::stop_source stop;
    options.http.call.stop = stop.get_token();
    std::chrono::steady_clock::time_point told;
    std::jthread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(400));
      told = std::chrono::steady_clock::now();
      stop.request_stop();
    });
    const Status status = fetch_all(options);
    const auto ended = std::chrono::steady_clock::now();
    stopper.join();
    ASSERT_FALSE(status) << faults;
    EXPECT_EQ(status.error().code, ErrorCode::kCancelled) << faults << status.error().message;
    EXPECT_LT(ended - told, std::chrono::seconds(1)) << faults;  // 50 ms, on a machine that does something else.
  }
}

TEST_F(HubClientTest, EndsATransferBelowTheLowestUsefulRate) {
  hub_.set_faults(R"({"slow": {"model.safetensors": 3}})");  // 1.3 KiB/s.
  HubOptions options = hub_.options();
  options.http.attempts_max = 1;
  Status status;
  EXPECT_LT(seconds_of([&] { status = fetch_all(options); }), 20.0);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNetwork) << status.error().message;
}

TEST_F(HubClientTest, EndsAShortAnswerThatTrickles) {
  hub_.set_faults(R"({"trickle": 0.2})");
  HubOptions options = hub_.options();
  options.http.stall_timeout_s = 60;
  options.http.time_ms_max = 1'000;
  double seconds = 0;
  const auto found = [&] {
    Result<HubSnapshot> result = fail(ErrorCode::kIo, "not run");
    seconds = seconds_of([&] { result = HubClient(options).snapshot(kModel, "main"); });
    return result;
  }();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kNetwork);
  EXPECT_NE(found.error().message.find("takes longer than 1 s"), std::string::npos) << found.error().message;
  EXPECT_LT(seconds, 10.0);
}

TEST_F(HubClientTest, WaitsNoLongerThanARequestMayTake) {
  hub_.set_faults(R"({"status": {"/api/models/org/model/revision/main": 503}})");
  HubOptions options = hub_.options();
  options.http.attempts_max = 1'000;
  options.http.time_ms_max = 500;
  const auto wait = [&] { EXPECT_FALSE(HubClient(options).snapshot(kModel, "main")); };
  EXPECT_LT(seconds_of(wait), 5.0);
}

TEST_F(HubClientTest, RefusesAnswersThatAreTooLong) {
  const auto expect_refused = [](const HubOptions& options, const char* part) {
    const Result<HubSnapshot> found = HubClient(options).snapshot(kModel, "main");
    ASSERT_FALSE(found) << part;
    EXPECT_EQ(found.error().code, ErrorCode::kCorruptData) << found.error().message;
    EXPECT_NE(found.error().message.find(part), std::string::npos) << found.error().message;
  };
  HubOptions options = hub_.options();
  options.http.answer_bytes_max = 100;
  expect_refused(options, "more than 100 bytes");
  const std::pair<const char*, const char*> faults[] = {
      {R"({"more_headers": 2000})", "lines"},
      {R"({"more_files": 1000})", "1002 files to fetch"},
      {R"({"more_files": 100000})", "100002 files"},
      {R"({"sizes": {"config.json": 300000000}})", "config.json has 300000000 bytes"},
      {R"({"sizes": {"model.safetensors": 100000000000}})", "model.safetensors has 100000000000 bytes"},
      {R"({"sizes": {"model.safetensors": 18446744073709551615}})", "model.safetensors has 18446744073709551615"},
  };
  for (const auto& [fault, part] : faults) {
    hub_.set_faults(fault);
    expect_refused(hub_.options(), part);
  }
  for (const char* shard : {"model-01.safetensors", "model-02.safetensors"})
    hub_.serve("org/model/" + std::string(shard), "{}");
  hub_.set_faults(R"({"sizes": {"model.safetensors": 60000000000, "model-01.safetensors": 60000000000,
                                "model-02.safetensors": 60000000000}})");
  expect_refused(hub_.options(), "the files have 180000000002 bytes");
}

TEST_F(HubClientTest, StoresNoFileThatNothingShowsToBeWhole) {
  hub_.set_faults(R"({"no_hashes": true, "no_etag": true, "no_length": true})");
  const Status status = fetch_all(hub_.options());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(status.error().message.find("config.json: "), std::string::npos) << status.error().message;
  EXPECT_NE(status.error().message.find("neither its size nor a hash"), std::string::npos) << status.error().message;
  EXPECT_TRUE(fs::is_empty(folder_.path()));

  // A length is something: what is cut off is noticed, and fetched.
  hub_.set_faults(R"({"no_hashes": true, "no_etag": true, "drop_after": {"model.safetensors": [40000]}})");
  const Status with_length = fetch_all(hub_.options());
  ASSERT_TRUE(with_length) << with_length.error().message;
  expect_fetched();
}

}  // namespace
}  // namespace tandem
