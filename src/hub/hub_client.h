// Fetches models from a Hugging Face hub, or a mirror that serves the same layout:
//
//   {endpoint}/api/models/{id}/revision/{revision}?blobs=true   the commit and its files, with sizes and hashes
//   {endpoint}/{id}/resolve/{commit}/{file}                     a file, perhaps by way of a redirect
//
// API: https://huggingface.co/docs/hub/api
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hub/http_client.h"
#include "hub/model_files.h"
#include "tandem/call.h"
#include "tandem/result.h"

namespace tandem {

struct HubOptions {
  std::string endpoint = "https://huggingface.co";
  HttpOptions http;  ///< bearer_token is the hub's token.
};

/// HF_ENDPOINT, and HF_TOKEN or the token that `hf auth login` keeps, without white space about it. Errors:
/// kInvalidArgument for a token that is not one word of visible ASCII, which a header could not hold; those of reading
/// the file where it lies, if it is there.
Result<HubOptions> hub_options_from_environment();

/// More than the models that Tandem runs have: a hub that sends more is not believed.
inline constexpr std::uint64_t kModelBytesMax = std::uint64_t{128} << 30;

/// A model at one commit.
struct HubSnapshot {
  std::string id;
  std::string commit;            ///< 40 hexadecimal digits.
  std::vector<ModelFile> files;  ///< Those that Tandem reads, in the order of their names.
};

/// Of the names of a hub's files, those that Tandem reads: configuration, tokenizer, modules, adapters and safetensors;
/// pytorch_model.bin only in a folder without safetensors; nothing of onnx/, openvino/ and other formats.
std::vector<std::string> files_to_fetch(const std::vector<std::string>& names);

/// Reads what a hub answers about a model; the id stays empty. `where` stands in front of errors: kUnsupported (no
/// files that Tandem reads), kCorruptData.
Result<HubSnapshot> parse_hub_snapshot(std::string_view answer, std::string_view where);

/// What an answer says about a file whose listing did not: its size, and its hash.
ModelFile with_what_was_answered(ModelFile file, const HttpResponse& response);

/// Immutable: methods may be called from many threads at once.
class HubClient {
 public:
  explicit HubClient(HubOptions options);

  /// Looks a model up. Errors: kNetwork (the hub cannot be reached or is in trouble), kNotFound (no such model or
  /// revision), kPermission (gated or private), kUnsupported (no files that Tandem reads), kCorruptData (also for more
  /// files, or larger ones, than a model has, for hashes that are none, and for another commit than `revision` is).
  Result<HubSnapshot> snapshot(std::string_view id, std::string_view revision) const;

  /// Brings one file to `folder`, whole and checked, or leaves what has come so far beside it as NAME.part for the next
  /// try. What an earlier call left may be of another hub: it is kept where it has the hash that is announced now, and
  /// fetched anew otherwise. A file of which neither the listing nor the answer gives a hash or the size is refused:
  /// nothing shows whether it is whole.
  Status fetch(const HubSnapshot& snapshot, const ModelFile& file, const std::filesystem::path& folder,
               const CallOptions& call) const;

 private:
  /// An error for every answer that is no success. `file` empty: the question was about the model.
  Status check_answer(const HttpResponse& response, std::string_view id, std::string_view revision,
                      std::string_view file = {}) const;

  HubOptions options_;
  std::string shown_endpoint_;  // In messages: the endpoint may hold a password.
  HttpClient http_;
};

}  // namespace tandem
