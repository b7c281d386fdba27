// Options that several commands share, and the models that they open.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tandem/bi_encoder.h"
#include "tandem/collection.h"
#include "tandem/cross_encoder.h"
#include "tandem/model_store.h"
#include "tandem/result.h"
#include "tandem/retriever.h"
#include "tandem/text_format.h"

namespace tandem::cli {

/// More tokens, dimensions or results than anybody needs, and few enough to multiply without overflow.
inline constexpr int kCountMax = 1 << 20;

/// The last column of runs that are written.
inline constexpr const char* kDefaultTag = "tandem";

/// The model of a command for which the user names none.
struct DefaultModel {
  const char* id;
};

inline constexpr DefaultModel kDefaultBiEncoder{"sentence-transformers/all-MiniLM-L6-v2"};
inline constexpr DefaultModel kDefaultCrossEncoder{"cross-encoder/ms-marco-MiniLM-L-12-v2"};

/// The name of a model. One that the user gave means a folder, or else an id, as in sentence-transformers. A default is
/// an id alone: otherwise whoever made the folder in which Tandem is started would choose the model, by a folder of
/// that name in it.
class ModelName {
 public:
  ModelName() = default;
  ModelName(std::string given) : text_(std::move(given)) {}
  ModelName(DefaultModel model) : text_(model.id), is_default_(true) {}

  const std::string& text() const { return text_; }
  bool is_default() const { return is_default_; }

  friend std::ostream& operator<<(std::ostream& stream, const ModelName& name) { return stream << name.text_; }

 private:
  std::string text_;
  bool is_default_ = false;
};

/// The words that an option takes, and what they mean.
template <class Value>
using Choices = std::vector<std::pair<std::string, Value>>;

/// Adds an option whose value is one of a few words.
template <class Target, class Value>
CLI::Option* add_choice(CLI::App& command, const std::string& name, Target& target, const Choices<Value>& choices,
                        const std::string& description) {
  std::string words;
  for (const auto& [word, value] : choices) words += (words.empty() ? "" : "|") + word;
  const auto find = [choices](const std::string& word) {
    return std::ranges::find(choices, word, &std::pair<std::string, Value>::first) - choices.begin();
  };
  const auto check = [find, words, count = std::ssize(choices)](const std::string& word) {
    return find(word) < count ? std::string() : "'" + word + "' is not one of " + words;
  };
  return command
      .add_option_function<std::string>(
          name,
          [&target, choices, find](const std::string& word) {
            target = choices[static_cast<std::size_t>(find(word))].second;
          },
          description)
      ->check(CLI::Validator(check, ""))
      ->type_name(words);
}

/// Adds an option whose value is a whole number in [minimum, maximum].
template <class Target>
CLI::Option* add_count(CLI::App& command, const char* name, Target& target, int minimum, int maximum,
                       const std::string& description) {
  return command.add_option(name, target, description)
      ->check(CLI::Range(minimum, maximum).description(""))
      ->type_name("N");
}

/// Options that have no effect in some way to run a command.
struct IdleOptions {
  std::vector<std::string> options;
  std::string where;           ///< "with --mode bi", "without --queries": how the command is run then.
  std::function<bool()> when;  ///< Whether it is run so, asked when the whole command line has been read.
};

/// Refuses options where they have no effect, as a mistake of the command line. Once for each command; names of options
/// that the command does not have are passed over, so that commands can share lists.
void refuse_idle_options(CLI::App& command, std::vector<IdleOptions> idle);

/// Whether an option was given on the command line.
bool is_given(const CLI::App& command, const char* option);

/// What may be fetched: --offline; and --fetch-named where models may be named by data.
struct NetworkFlags {
  bool offline = false;
  bool fetch_named = false;
};

/// How a command computes: --precision, --threads, --batch-tokens, --offline; and --max-length where it is offered.
struct ComputeFlags {
  ComputeOptions compute;
  std::optional<std::size_t> max_length;
  NetworkFlags network;
};

/// A cross-encoder: --cross-model, --activation; and the tokens that it reads, where --max-length is its alone.
struct CrossFlags {
  ModelName model = kDefaultCrossEncoder;
  Activation activation = Activation::kAuto;
  std::optional<std::size_t> max_length = {};
};

/// What a bi-encoder's vectors are: --adapter, --pooling, --normalize/--no-normalize, --dimensions, and prompts.
struct VectorFlags {
  std::optional<std::string> adapter = {};
  std::optional<Pooling> pooling;
  std::optional<bool> normalize;
  std::optional<std::size_t> dimensions;
  std::optional<std::string> prompt_name;
  std::optional<std::string> query_prompt;
  std::optional<std::string> document_prompt;
};

void add_model_option(CLI::App& command, ModelName& model);
/// How the file of an option is read: its format, columns, separator and header. `prefix` begins their names.
void add_text_options(CLI::App& command, TextOptions& options, const std::string& prefix = "--");
/// The same of --queries: --queries-format and so on.
void add_query_text_options(CLI::App& command, TextOptions& options);
/// What --separator calls one of its values.
std::string_view name_of_separator(char separator);
/// --input, and how it is read.
void add_input_options(CLI::App& command, std::string& input, TextOptions& options);
void add_compute_options(CLI::App& command, ComputeFlags& flags);
void add_max_length_option(CLI::App& command, std::optional<std::size_t>& max_length);
void add_vector_options(CLI::App& command, VectorFlags& flags);
/// --prompt: of every text, whatever it is for.
void add_prompt_option(CLI::App& command, VectorFlags& flags);
/// --query-prompt and --document-prompt.
void add_role_prompt_options(CLI::App& command, VectorFlags& flags);
/// --mode, --initial-top-k, --rerank-top-n, --final-top-k, --alpha, --min-score, --min-probability.
void add_search_options(CLI::App& command, SearchOptions& options);
/// --drop-self, for commands that read queries with ids.
CLI::Option* add_drop_self_option(CLI::App& command, bool& drop_self);
/// What of the stages' options is idle in which mode.
std::vector<IdleOptions> idle_stage_options(const SearchMode& mode);
void add_cross_model_option(CLI::App& command, ModelName& model);
/// --max-length, of pairs.
void add_cross_max_length_option(CLI::App& command, std::optional<std::size_t>& max_length);
void add_offline_option(CLI::App& command, NetworkFlags& flags);
/// --fetch-named, for commands with a bi-encoder: that is what collections and adapters name.
void add_fetch_named_option(CLI::App& command, NetworkFlags& flags);
void add_activation_option(CLI::App& command, Activation& activation);
void add_metric_option(CLI::App& command, std::optional<Metric>& metric);
void add_json_option(CLI::App& command, bool& json);

void add_qrels_option(CLI::App& command, std::string& qrels);

// The settings that a sweep measures; each gives its options, for what else holds for them.
CLI::Option* add_depths_option(CLI::App& command, std::vector<std::size_t>& depths);
CLI::Option* add_alphas_option(CLI::App& command, std::vector<float>& alphas);
/// --cross-only and --no-cross-only; `default_when`: of the latter.
std::array<CLI::Option*, 2> add_cross_only_options(CLI::App& command, std::optional<bool>& cross_only,
                                                   const char* default_when);

/// --tag: one word.
void add_tag_option(CLI::App& command, std::string& tag, const std::string& description);

/// An error for a query that is empty or all blanks.
Status check_query(std::string_view query);

/// The folder of a model, and of the adapter that was named in its place or beside it; they are pulled first where they
/// have to be, which shows that progress.
Result<ModelFolders> resolve_model(const ModelName& name, const NetworkFlags& network,
                                   const std::optional<std::string>& adapter = {});

/// `folders` are those that resolve_model() gave: the adapter is taken from there.
Result<BiEncoder> open_bi_encoder(const ModelFolders& folders, const ComputeFlags& compute, const VectorFlags& vectors);
Result<BiEncoder> open_bi_encoder(const ModelName& model, const ComputeFlags& compute, const VectorFlags& vectors = {});
Result<CrossEncoder> open_cross_encoder(const ModelName& model, const ComputeFlags& compute,
                                        Activation activation = Activation::kAuto);
/// The length of its pairs is that of `cross`.
Result<CrossEncoder> open_cross_encoder(const CrossFlags& cross, ComputeFlags compute);

/// Keeps in mind from which folders a collection's encoder was opened, so that open_encoder_of() finds them. A model
/// store that cannot be written to only means that --model has to say it again.
void remember_encoder(const CollectionInfo& collection, const ModelFolders& folders);

/// The bi-encoder with which a collection was made, with the settings and the very weights that the collection
/// remembers; `model` says where it lies when it is not where it was. What the collection names is used where it is on
/// this machine, and fetched with --fetch-named alone.
Result<BiEncoder> open_encoder_of(const Collection& collection, const std::optional<std::string>& model,
                                  const ComputeFlags& compute);

}  // namespace tandem::cli
