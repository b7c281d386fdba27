#include "options.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/table.h"
#include "base/trec.h"
#include "terminal.h"

namespace tandem::cli {

namespace {

const Choices<Metric> kMetrics{{"ip", Metric::kInnerProduct}, {"l2", Metric::kL2}, {"cosine", Metric::kCosine}};

template <class Value>
Choices<Value> choices_of(std::span<const NamedChoice<Value>> named) {
  Choices<Value> choices;
  for (const NamedChoice<Value>& choice : named) choices.emplace_back(choice.name, choice.value);
  return choices;
}

/// Every choice of a set, by the name that it has everywhere.
template <class Value>
Choices<Value> all_choices() {
  return choices_of<Value>(kChoices<Value>);
}

/// Says once on stderr when the encoder computes otherwise than asked, and why.
void report_compute(const ComputeInfo& info) {
  if (!info.note.empty()) note(info.note);
}

/// Says once on stderr that a folder leaves open how its vectors are made.
void report_missing_modules(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(folder / "modules.json", ignored)) return;
  note(fmt::format(
      "{} has no modules.json: it is no model of sentence-transformers, or a part of one. Its vectors are the means of "
      "its tokens', as sentence-transformers makes them of such a folder",
      folder.string()));
}

/// The folders of the encoder that a collection names.
Result<ModelFolders> resolve_named_encoder(const BiEncoderIdentity& identity, const NetworkFlags& network) {
  ProgressBar bar;
  return ModelStore({.offline = network.offline})
      .resolve_named(identity, {.call = bar.call(), .fetch_named = network.fetch_named});
}

}  // namespace

void refuse_idle_options(CLI::App& command, std::vector<IdleOptions> idle) {
  command.parse_complete_callback([&command, idle = std::move(idle)] {
    for (const IdleOptions& each : idle) {
      const auto given = std::ranges::find_if(
          each.options, [&command](const std::string& option) { return is_given(command, option.c_str()); });
      if (given == each.options.end() || !each.when()) continue;
      throw CLI::ExcludesError(fmt::format("{} has no effect {}", *given, each.where), CLI::ExitCodes::ExcludesError);
    }
  });
}

bool is_given(const CLI::App& command, const char* option) {
  const CLI::Option* known = command.get_option_no_throw(option);
  return known != nullptr && known->count() > 0;
}

void add_model_option(CLI::App& command, ModelName& model) {
  command.add_option("--model", model, "A model's folder, or its Hugging Face id")
      ->type_name("M")
      ->capture_default_str();
}

void add_text_options(CLI::App& command, TextOptions& options, const std::string& prefix) {
  add_choice(command, prefix + "format", options.format, all_choices<TextFormat>(),
             "What the file holds; auto: by its name, else by its first line");
  const auto check_column = [](const std::string& word) {
    const std::size_t equals = word.find('=');
    return equals == 0 || equals == std::string::npos ? "expected FIELD=COLUMN, got '" + word + "'" : std::string();
  };
  command
      .add_option_function<std::vector<std::string>>(
          prefix + "columns",
          [&options](const std::vector<std::string>& words) {
            for (const std::string& word : words) {
              const std::size_t equals = word.find('=');
              options.columns.push_back({.field = word.substr(0, equals), .column = word.substr(equals + 1)});
            }
          },
          "Columns, or members of JSON lines, with other names: text=body,id=qid")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Validator(check_column, ""))
      ->type_name("FIELD=NAME,…");
  add_choice(command, prefix + "separator", options.separator, choices_of<char>(kSeparators),
             "Between the fields of CSV; default: comma");
  command.add_flag(prefix + "no-header", options.no_header,
                   "A table's first line is a record; columns go by number: text=2");
}

std::string_view name_of_separator(char separator) {
  return std::ranges::find(kSeparators, separator, &NamedChoice<char>::value)->name;
}

void add_query_text_options(CLI::App& command, TextOptions& options) {
  add_text_options(command, options, "--queries-");
}

void add_input_options(CLI::App& command, std::string& input, TextOptions& options) {
  command.add_option("--input", input, "What to read, as --format says; - is standard input")
      ->type_name("F")
      ->capture_default_str();
  add_text_options(command, options);
}

void add_compute_options(CLI::App& command, ComputeFlags& flags) {
  add_choice(command, "--precision", flags.compute.precision, all_choices<Precision>(),
             "Arithmetic of the matrix products; auto: the fastest that keeps parity");
  command
      .add_option_function<std::size_t>(
          "--threads", [&flags](std::size_t threads) { flags.compute.executor = Executor(threads); },
          "Threads to compute with; 0: every processor")
      ->check(CLI::Range(std::size_t{0}, Executor::kThreadsMax).description(""))
      ->type_name("N");
  add_count(command, "--batch-tokens", flags.compute.batch_tokens, 0, kCountMax,
            "Tokens that one thread takes through the layers at a time; 0: chosen for the caches");
  add_offline_option(command, flags.network);
}

void add_max_length_option(CLI::App& command, std::optional<std::size_t>& max_length) {
  add_count(command, "--max-length", max_length, 1, kCountMax,
            "Tokens read of each text or pair; default: what the model says");
}

void add_vector_options(CLI::App& command, VectorFlags& flags) {
  command
      .add_option("--adapter", flags.adapter,
                  "An adapter of AdapterHub for the model: its folder, or its Hugging Face id")
      ->type_name("A");
  add_choice(command, "--pooling", flags.pooling, all_choices<Pooling>(),
             "How token vectors become one; default: the model's own");
  command.add_flag_callback(
      "--normalize", [&flags] { flags.normalize = true; }, "Bring every vector to length 1");
  command
      .add_flag_callback(
          "--no-normalize", [&flags] { flags.normalize = false; }, "Leave out the model's own normalisation")
      ->excludes("--normalize");
  add_count(command, "--dimensions", flags.dimensions, 1, kCountMax,
            "Keep the first N components only (Matryoshka models)");
}

void add_prompt_option(CLI::App& command, VectorFlags& flags) {
  command.add_option("--prompt", flags.prompt_name, "One of the model's prompts, put before every text")
      ->type_name("NAME");
}

void add_role_prompt_options(CLI::App& command, VectorFlags& flags) {
  command
      .add_option("--query-prompt", flags.query_prompt,
                  "What is put before queries: one of the model's prompts by its name, or a text, such as 'query: '")
      ->type_name("P");
  command.add_option("--document-prompt", flags.document_prompt, "What is put before documents, likewise")
      ->type_name("P");
}

void add_search_options(CLI::App& command, SearchOptions& options) {
  add_choice(
      command, "--mode", options.mode,
      Choices<SearchMode>{{"bi", SearchMode::kBi}, {"cross", SearchMode::kCross}, {"hybrid", SearchMode::kHybrid}},
      "The first stage alone, the cross-encoder on every document, or both (the default)");
  add_count(command, "--initial-top-k", options.initial_top_k, 1, kCountMax, "Candidates of the first stage")
      ->capture_default_str();
  command
      .add_option_function<std::size_t>(
          "--rerank-top-n",
          [&command, &options](std::size_t top_n) {
            options.rerank_top_n = top_n;
            if (!is_given(command, "--final-top-k")) options.final_top_k = std::min(options.final_top_k, top_n);
          },
          "Rerank only the best N, drop the others")
      ->check(CLI::Range(1, kCountMax).description(""))
      ->type_name("N");
  add_count(command, "--final-top-k", options.final_top_k, 1, kCountMax,
            "Results per query; by default no more than --rerank-top-n")
      ->capture_default_str();
  command
      .add_option("--alpha", options.alpha,
                  "Weight of the cross-encoder: alpha * cross + (1 - alpha) * minmax(first stage)")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->type_name("A")
      ->capture_default_str();
  command.add_option("--min-score", options.min_score, "Leave out results whose final score is below S")
      ->type_name("S");
  command
      .add_option("--min-probability", options.min_probability,
                  "Leave out results that the cross-encoder gives a probability below P: the sigmoid of its logit")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->type_name("P");
}

CLI::Option* add_drop_self_option(CLI::App& command, bool& drop_self) {
  return command.add_flag("--drop-self", drop_self,
                          "Leave out the document that has the query's id, where queries are documents themselves");
}

std::vector<IdleOptions> idle_stage_options(const SearchMode& mode) {
  const auto in = [&mode](SearchMode other) { return [&mode, other] { return mode == other; }; };
  return {
      {{"--initial-top-k", "--rerank-top-n", "--alpha", "--cross-model", "--activation", "--max-length",
        "--min-probability"},
       "with --mode bi",
       in(SearchMode::kBi)},
      {{"--initial-top-k", "--rerank-top-n", "--alpha", "--model", "--fetch-named"},
       "with --mode cross",
       in(SearchMode::kCross)},
  };
}

void add_cross_model_option(CLI::App& command, ModelName& model) {
  command.add_option("--cross-model", model, "The cross-encoder's folder, or its Hugging Face id")
      ->type_name("M")
      ->capture_default_str();
}

void add_cross_max_length_option(CLI::App& command, std::optional<std::size_t>& max_length) {
  add_count(command, "--max-length", max_length, 1, kCountMax, "Tokens that the cross-encoder reads of each pair");
}

void add_offline_option(CLI::App& command, NetworkFlags& flags) {
  command.add_flag("--offline", flags.offline, "Never use the network");
}

void add_fetch_named_option(CLI::App& command, NetworkFlags& flags) {
  command.add_flag("--fetch-named", flags.fetch_named, "Also fetch models that a collection or an adapter names")
      ->excludes("--offline");
}

void add_activation_option(CLI::App& command, Activation& activation) {
  add_choice(command, "--activation", activation, all_choices<Activation>(),
             "Applied to the cross-encoder's logits; auto: what the model declares");
}

void add_metric_option(CLI::App& command, std::optional<Metric>& metric) {
  add_choice(command, "--metric", metric, kMetrics,
             "How vectors are compared; default: what the model declares, else ip for normalised embeddings, l2 for "
             "others");
}

void add_json_option(CLI::App& command, bool& json) { command.add_flag("--json", json, "Print JSON"); }

void add_qrels_option(CLI::App& command, std::string& qrels) {
  command.add_option("--qrels", qrels, "Judgements: \"qid 0 docid rel\", or BEIR's three columns")->type_name("F");
}

CLI::Option* add_depths_option(CLI::App& command, std::vector<std::size_t>& depths) {
  return command.add_option("--depths", depths, "How many candidates are reranked; separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, kCountMax).description(""))
      ->type_name("N,…")
      ->capture_default_str();
}

CLI::Option* add_alphas_option(CLI::App& command, std::vector<float>& alphas) {
  return command.add_option("--alphas", alphas, "Weights of the cross-encoder; separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->type_name("A,…")
      ->capture_default_str();
}

std::array<CLI::Option*, 2> add_cross_only_options(CLI::App& command, std::optional<bool>& cross_only,
                                                   const char* default_when) {
  CLI::Option* with = command.add_flag_callback(
      "--cross-only", [&cross_only] { cross_only = true; }, "Also score every document with the cross-encoder");
  CLI::Option* without = command.add_flag_callback(
      "--no-cross-only", [&cross_only] { cross_only = false; }, fmt::format("Do not; the default {}", default_when));
  return {with, without->excludes(with)};
}

void add_tag_option(CLI::App& command, std::string& tag, const std::string& description) {
  const auto check = [](const std::string& word) {
    return is_one_word(word) ? std::string() : "expected one word, got '" + word + "'";
  };
  command.add_option("--tag", tag, description)
      ->check(CLI::Validator(check, ""))
      ->type_name("NAME")
      ->capture_default_str();
}

Status check_query(std::string_view query) {
  if (query.find_first_not_of(" \t\r\n") != std::string_view::npos) return {};
  return fail(ErrorCode::kInvalidArgument, "the query is empty");
}

Result<ModelFolders> resolve_model(const ModelName& name, const NetworkFlags& network,
                                   const std::optional<std::string>& adapter) {
  const ModelStore store({.offline = network.offline});
  ProgressBar bar;
  const PullOptions options{.call = bar.call(), .fetch_named = network.fetch_named};
  ModelFolders folders;
  if (name.is_default()) {
    ASSIGN_OR_RETURN(folders.model, store.resolve_id(name.text(), options));
  } else {
    ASSIGN_OR_RETURN(folders, store.resolve_with_adapter(name.text(), options));
  }
  if (!adapter) return folders;
  if (folders.adapter) {
    return fail(ErrorCode::kInvalidArgument, "--model {} is an adapter, and --adapter names another", name.text());
  }
  ASSIGN_OR_RETURN(folders.adapter, store.resolve(*adapter, options));
  return folders;
}

Result<BiEncoder> open_bi_encoder(const ModelFolders& folders, const ComputeFlags& compute,
                                  const VectorFlags& vectors) {
  const auto choice_of = [](const std::optional<std::string>& prompt) {
    return prompt ? std::optional(PromptChoice{.value = *prompt}) : std::nullopt;
  };
  const BiEncoderOptions options{.compute = compute.compute,
                                 .max_length = compute.max_length,
                                 .pooling = vectors.pooling,
                                 .normalize = vectors.normalize,
                                 .dimensions = vectors.dimensions,
                                 .prompt_name = vectors.prompt_name,
                                 .query_prompt = choice_of(vectors.query_prompt),
                                 .document_prompt = choice_of(vectors.document_prompt),
                                 .adapter = folders.adapter};
  ASSIGN_OR_RETURN(BiEncoder encoder, BiEncoder::open(folders.model, options));
  report_compute(encoder.compute());
  if (!vectors.pooling && !folders.adapter) report_missing_modules(folders.model);
  return encoder;
}

Result<BiEncoder> open_bi_encoder(const ModelName& model, const ComputeFlags& compute, const VectorFlags& vectors) {
  ASSIGN_OR_RETURN(const ModelFolders folders, resolve_model(model, compute.network, vectors.adapter));
  return open_bi_encoder(folders, compute, vectors);
}

Result<CrossEncoder> open_cross_encoder(const ModelName& model, const ComputeFlags& compute, Activation activation) {
  ASSIGN_OR_RETURN(const ModelFolders folders, resolve_model(model, compute.network));
  if (folders.adapter) {
    return fail(ErrorCode::kUnsupported, "{} is an adapter, which cross-encoders do not run with", model.text());
  }
  ASSIGN_OR_RETURN(CrossEncoder encoder, CrossEncoder::open(folders.model, {.compute = compute.compute,
                                                                            .max_length = compute.max_length,
                                                                            .activation = activation}));
  report_compute(encoder.compute());
  return encoder;
}

Result<CrossEncoder> open_cross_encoder(const CrossFlags& cross, ComputeFlags compute) {
  compute.max_length = cross.max_length;
  return open_cross_encoder(cross.model, compute, cross.activation);
}

void remember_encoder(const CollectionInfo& collection, const ModelFolders& folders) {
  static_cast<void>(ModelStore().remember(collection.recipe.encoder, folders));
}

Result<BiEncoder> open_encoder_of(const Collection& collection, const std::optional<std::string>& model,
                                  const ComputeFlags& compute) {
  const EmbeddingRecipe& recipe = collection.info().recipe;
  const auto open_it = [&]() -> Result<BiEncoder> {
    const Result<ModelFolders> folders =
        model ? resolve_model(*model, compute.network) : resolve_named_encoder(recipe.encoder, compute.network);
    if (!folders) return fail_in("the encoder of the collection, " + recipe.encoder.model, folders.error());
    return open_encoder(recipe, *folders, compute.compute);
  };
  Result<BiEncoder> encoder = open_it();
  if (encoder) {
    report_compute(encoder->compute());
  } else if (!model) {
    encoder.error().message += ". --model says where the encoder lies now";
  }
  return encoder;
}

}  // namespace tandem::cli
