#include "hub/hub_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "base/ascii.h"
#include "base/call.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/relative_path.h"
#include "base/strip.h"
#include "hub/environment.h"
#include "hub/model_names.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSha1Digits = 40;
constexpr std::size_t kSha256Digits = 64;

// Far beyond what models have, to be read in moments.
constexpr std::size_t kListedFilesMax = 100'000;
constexpr std::size_t kFetchedFilesMax = 1'000;
constexpr std::uint64_t kWeightsBytesMax = std::uint64_t{64} << 30;
constexpr std::uint64_t kSmallFileBytesMax = std::uint64_t{256} << 20;

constexpr std::array<std::string_view, 14> kSmallFiles = {
    "adapter_config.json",
    "config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "tokenizer.json",
    "merges.txt",
    "tokenizer_config.json",
    "vocab.json",
    "special_tokens_map.json",
    "vocab.txt",
    "added_tokens.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "model.safetensors.index.json",
};

/// "1_Pooling": how sentence-transformers names the folders of modules. "" is the model's own folder.
bool is_model_folder(std::string_view folder) {
  if (folder.empty()) return true;
  const std::size_t digits = std::min(folder.find_first_not_of("0123456789"), folder.size());
  return digits > 0 && digits < folder.size() && folder[digits] == '_' && folder.find('/') == folder.npos;
}

std::pair<std::string_view, std::string_view> split(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  if (slash == name.npos) return {"", name};
  return {name.substr(0, slash), name.substr(slash + 1)};
}

/// model.safetensors, or a shard: model-00001-of-00002.safetensors.
bool is_weights(std::string_view file, std::string_view stem, std::string_view extension) {
  return file.starts_with(stem) && file.ends_with(extension) &&
         (file.size() == stem.size() + extension.size() || file.substr(stem.size()).starts_with("-0"));
}

// A folder may hold a model, an adapter, or both, each in one of two forms.
bool is_safetensors(std::string_view file) { return is_weights(file, "model", ".safetensors"); }
bool is_safe_adapter(std::string_view file) { return file == "adapter.safetensors"; }
bool is_pytorch_adapter(std::string_view file) { return file == "pytorch_adapter.bin"; }

bool is_pytorch_weights(std::string_view file) {
  return is_weights(file, "pytorch_model", ".bin") || file == "pytorch_model.bin.index.json";
}

bool is_any_weights(std::string_view file) {
  return is_safetensors(file) || is_pytorch_weights(file) || is_safe_adapter(file) || is_pytorch_adapter(file);
}

bool is_small_file(std::string_view file) {
  return std::ranges::find(kSmallFiles, file) != kSmallFiles.end() ||
         (file.starts_with("sentence_") && file.ends_with("_config.json"));
}

/// A hash that a listing gives; empty where it gives none. What is no hash is no reason to take a file unchecked.
Result<std::string> read_hash(JsonValue object, const char* key, std::size_t digits) {
  ASSIGN_OR_RETURN(const std::optional<std::string_view> text, object.find_string(key));
  if (!text) return std::string();
  std::string hash = in_lower_case(*text);
  if (is_hex(hash, digits)) return hash;
  constexpr std::size_t kShownMax = 100;
  return fail(ErrorCode::kCorruptData, "{} is \"{}\", want {} hexadecimal digits", key, text->substr(0, kShownMax),
              digits);
}

Result<ModelFile> read_sibling(const std::string& name, JsonValue sibling) {
  ModelFile file{.name = name, .size_bytes = {}, .sha256 = {}, .git_blob_sha1 = {}};
  ASSIGN_OR_RETURN(file.size_bytes, sibling.find_unsigned("size"));
  if (const std::optional<JsonValue> lfs = sibling.find("lfs"); lfs && lfs->is_object()) {
    ASSIGN_OR_RETURN(file.sha256, read_hash(*lfs, "sha256", kSha256Digits));
  }
  // The blob of a file that lies elsewhere is a pointer to it, so that only the hash in the pointer counts.
  if (file.sha256.empty()) {
    ASSIGN_OR_RETURN(file.git_blob_sha1, read_hash(sibling, "blobId", kSha1Digits));
  }
  return file;
}

bool has_hash(const ModelFile& file) { return !file.sha256.empty() || !file.git_blob_sha1.empty(); }

/// How long a file of this name may be.
std::uint64_t bytes_max_of(std::string_view name) {
  return is_any_weights(split(name).second) ? kWeightsBytesMax : kSmallFileBytesMax;
}

/// Refuses what would fill the disk, or never end.
Status check_sizes(const HubSnapshot& snapshot, std::string_view where) {
  if (snapshot.files.size() > kFetchedFilesMax) {
    return fail(ErrorCode::kCorruptData, "{}: lists {} files to fetch, want at most {}", where, snapshot.files.size(),
                kFetchedFilesMax);
  }
  std::uint64_t total_bytes = 0;
  for (const ModelFile& file : snapshot.files) {
    const std::uint64_t size_bytes = file.size_bytes.value_or(0);
    if (size_bytes > bytes_max_of(file.name)) {
      return fail(ErrorCode::kCorruptData, "{}: {} has {} bytes, want at most {}", where, file.name, size_bytes,
                  bytes_max_of(file.name));
    }
    total_bytes += size_bytes;
  }
  if (total_bytes <= kModelBytesMax) return {};
  return fail(ErrorCode::kCorruptData, "{}: the files have {} bytes, want at most {}", where, total_bytes,
              kModelBytesMax);
}

/// An entity tag of the hub is the hash of the file: quoted, perhaps marked as weak.
std::string_view without_quotes(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  if (tag.size() >= 2 && tag.starts_with('"') && tag.ends_with('"')) tag = tag.substr(1, tag.size() - 2);
  return tag;
}

/// The message of an error never holds the token.
Result<std::string> token_from_environment() {
  constexpr std::uint64_t kTokenBytesMax = 4096;
  std::string source = "HF_TOKEN";
  std::string text = environment_variable("HF_TOKEN");
  if (strip(text).empty()) {
    const fs::path path = hugging_face_home() / "token";
    Result<std::string> content = read_small_file(path, kTokenBytesMax);
    if (!content && content.error().code == ErrorCode::kNotFound) return std::string();
    if (!content) return tl::unexpected(std::move(content).error());
    source = path.string();
    text = *std::move(content);
  }
  const std::string_view token = strip(text);
  if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; })) {
    return fail(ErrorCode::kInvalidArgument,
                "{}: the token has to be one word of letters, digits and signs; it has a "
                "blank, a line end or something else between them",
                source);
  }
  return std::string(token);
}

}  // namespace

Result<HubOptions> hub_options_from_environment() {
  HubOptions options;
  if (const std::string endpoint = environment_variable("HF_ENDPOINT"); !endpoint.empty()) {
    options.endpoint = endpoint;
    while (options.endpoint.ends_with('/')) options.endpoint.pop_back();
  }
  ASSIGN_OR_RETURN(options.http.bearer_token, token_from_environment());
  return options;
}

std::vector<std::string> files_to_fetch(const std::vector<std::string>& names) {
  std::set<std::string_view> folders_with_safetensors;
  std::set<std::string_view> folders_with_safe_adapter;
  for (const std::string& name : names) {
    const auto [folder, file] = split(name);
    if (is_safetensors(file)) folders_with_safetensors.insert(folder);
    if (is_safe_adapter(file)) folders_with_safe_adapter.insert(folder);
  }
  std::vector<std::string> wanted;
  for (const std::string& name : names) {
    const auto [folder, file] = split(name);
    if (!is_model_folder(folder) || !is_safe_relative_path(name)) continue;
    if (is_small_file(file) || is_safetensors(file) || is_safe_adapter(file) ||
        (is_pytorch_weights(file) && !folders_with_safetensors.contains(folder)) ||
        (is_pytorch_adapter(file) && !folders_with_safe_adapter.contains(folder))) {
      wanted.push_back(name);
    }
  }
  std::ranges::sort(wanted);
  return wanted;
}

Result<HubSnapshot> parse_hub_snapshot(std::string_view answer, std::string_view where) {
  ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::parse(answer, where));
  HubSnapshot snapshot;
  ASSIGN_OR_RETURN(const std::string_view sha, document.root().get_string("sha"));
  snapshot.commit = in_lower_case(sha);
  if (!is_commit(snapshot.commit)) {
    return fail(ErrorCode::kCorruptData, "{}: sha is \"{}\", want the 40 digits of a commit", where, snapshot.commit);
  }
  ASSIGN_OR_RETURN(const std::vector<JsonValue> siblings, document.root().get_array("siblings"));
  if (siblings.size() > kListedFilesMax) {
    return fail(ErrorCode::kCorruptData, "{}: lists {} files, want at most {}", where, siblings.size(),
                kListedFilesMax);
  }
  std::vector<std::string> names;
  std::map<std::string, JsonValue> siblings_by_name;
  for (const JsonValue sibling : siblings) {
    ASSIGN_OR_RETURN(const std::string_view name, sibling.get_string("rfilename"));
    if (siblings_by_name.insert_or_assign(std::string(name), sibling).second) names.emplace_back(name);
  }
  bool has_weights = false;
  for (const std::string& name : files_to_fetch(names)) {
    const std::string_view file = split(name).second;
    has_weights = has_weights || is_any_weights(file);
    Result<ModelFile> model_file = read_sibling(name, siblings_by_name.at(name));
    if (!model_file) return fail_in(fmt::format("{}: {}", where, name), model_file.error());
    snapshot.files.push_back(*std::move(model_file));
  }
  if (!has_weights) {
    return fail(ErrorCode::kUnsupported, "{}: has neither model.safetensors nor pytorch_model.bin among its {} files",
                where, siblings.size());
  }
  RETURN_IF_ERROR(check_sizes(snapshot, where));
  return snapshot;
}

ModelFile with_what_was_answered(ModelFile file, const HttpResponse& response) {
  if (!file.size_bytes) file.size_bytes = response.announced_bytes;
  if (has_hash(file)) return file;
  for (const char* header : {"x-linked-etag", "etag"}) {
    const std::string tag = in_lower_case(without_quotes(response.header(header)));
    if (is_hex(tag, kSha256Digits)) {
      file.sha256 = tag;
      break;
    }
    if (is_hex(tag, kSha1Digits)) {
      file.git_blob_sha1 = tag;
      break;
    }
  }
  return file;
}

HubClient::HubClient(HubOptions options)
    : options_(std::move(options)), shown_endpoint_(without_userinfo(options_.endpoint)), http_(options_.http) {}

Status HubClient::check_answer(const HttpResponse& response, std::string_view id, std::string_view revision,
                               std::string_view file) const {
  if (response.is_success()) return {};
  // The hub says in a header what its status leaves open: it answers 401 for what does not exist, too, so as not to
  // tell strangers what does.
  const std::string_view reason = response.header("x-error-code");
  const std::string& endpoint = shown_endpoint_;
  const std::string_view token_advice = options_.http.bearer_token.empty()
                                            ? "set HF_TOKEN to a token of an account that may read it"
                                            : "the account of HF_TOKEN may not read it";
  if (reason == "GatedRepo") {
    return fail(ErrorCode::kPermission, "{} is gated: accept its conditions at {}/{} and {}", id, endpoint, id,
                token_advice);
  }
  if (reason == "RevisionNotFound") {
    return fail(ErrorCode::kNotFound, "{} on {} has no revision {}", id, endpoint, revision);
  }
  switch (response.status) {
    case 401:
      return fail(ErrorCode::kPermission, "{} does not exist on {}, or is private: {}", id, endpoint, token_advice);
    case 403:
      return fail(ErrorCode::kPermission, "{} on {} may not be read (HTTP status 403): {}", id, endpoint, token_advice);
    case 404:
      return fail(ErrorCode::kNotFound, "{}{}{} does not exist on {} at revision {}", id, file.empty() ? "" : "/", file,
                  endpoint, revision);
    default:
      return fail(ErrorCode::kNetwork, "{} answers with HTTP status {} for {}{}{}", endpoint, response.status, id,
                  file.empty() ? "" : "/", file);
  }
}

Result<HubSnapshot> HubClient::snapshot(std::string_view id, std::string_view revision) const {
  const std::string url =
      fmt::format("{}/api/models/{}/revision/{}?blobs=true", options_.endpoint, id, url_segment(revision));
  ASSIGN_OR_RETURN(const HttpResponse response, http_.get(url));
  RETURN_IF_ERROR(check_answer(response, id, revision));

  ASSIGN_OR_RETURN(HubSnapshot snapshot,
                   parse_hub_snapshot(response.body, fmt::format("{} on {}", id, shown_endpoint_)));
  if (const std::string commit = in_lower_case(revision); is_commit(commit) && snapshot.commit != commit) {
    return fail(ErrorCode::kCorruptData, "{} on {}: asked for the commit {}, got {}", id, shown_endpoint_, commit,
                snapshot.commit);
  }
  snapshot.id = id;
  return snapshot;
}

Status HubClient::fetch(const HubSnapshot& snapshot, const ModelFile& file, const fs::path& folder,
                        const CallOptions& call) const {
  const fs::path path = folder / file.name;
  // An earlier pull has left it, which may have asked another hub: only a hash shows that it is the file of this one.
  if (has_hash(file)) {
    const Status whole = check_file(path, file, call);
    if (whole) return {};
    RETURN_IF_ERROR(check_call(call));  // What was not hashed to its end is not damaged.
  }
  std::error_code error;
  fs::remove(path, error);
  fs::create_directories(path.parent_path(), error);
  if (error) return fail_errno(error.value(), "cannot create", path.parent_path().string());
  const fs::path partial = path.string() + ".part";

  HttpClient::Download download;
  download.url = fmt::format("{}/{}/resolve/{}", options_.endpoint, snapshot.id, snapshot.commit);
  for (const fs::path& segment : fs::path(file.name)) download.url.append(1, '/').append(url_segment(segment.string()));
  download.file = partial;
  download.size_bytes = file.size_bytes;
  download.bytes_max = bytes_max_of(file.name);
  download.on_progress = [&](std::uint64_t done) {
    if (!call.progress) return;
    call.progress({.what = file.name, .unit = "bytes", .done = done, .total = file.size_bytes.value_or(0)});
  };

  // A first try may go on from what an earlier pull left; when that does not add up, a second one starts afresh.
  for (;;) {
    const bool has_partial = fs::exists(partial, error) && fs::file_size(partial, error) > 0;
    ASSIGN_OR_RETURN(const HttpResponse response, http_.download(download));
    RETURN_IF_ERROR(check_answer(response, snapshot.id, snapshot.commit, file.name));
    const ModelFile announced = with_what_was_answered(file, response);
    if (!announced.size_bytes && !has_hash(announced)) {
      fs::remove(partial, error);
      return fail(ErrorCode::kCorruptData,
                  "{}: {} announces neither its size nor a hash, so that nothing shows whether it is whole", file.name,
                  shown_endpoint_);
    }
    const Status status = check_file(partial, announced, call);
    if (status && (has_hash(announced) || !has_partial)) break;
    if (!status && status.error().code != ErrorCode::kCorruptData) return status;
    fs::remove(partial, error);
    if (error) return fail_errno(error.value(), "cannot remove", partial.string());
    if (!has_partial) {
      return fail(ErrorCode::kCorruptData, "{}: what {} sends is damaged: {}", file.name, shown_endpoint_,
                  status.error().message);
    }
  }
  fs::rename(partial, path, error);
  if (error) return fail_errno(error.value(), "cannot rename to its final name", partial.string());
  return sync_to_disk(path.parent_path());
}

}  // namespace tandem
