#include "pipeline_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/finite.h"
#include "base/json.h"
#include "names.h"
#include "report.h"
#include "sweep_output.h"
#include "tandem/sweep.h"
#include "terminal.h"

namespace tandem::cli {

namespace {

constexpr const char* kBiStage = "bi";

/// What a sweep reads, open.
struct OpenPipelines {
  explicit OpenPipelines(Collection opened) : collection(std::move(opened)) {}

  Collection collection;
  Qrels qrels;
  std::vector<Document> documents = {};
  std::vector<SweepQuery> queries = {};
  std::optional<BiEncoder> bi_encoder = {};
  std::optional<CrossEncoder> cross_encoder = {};
  std::vector<Run> runs = {};
  std::vector<FirstStage> first_stages = {};
};

Result<std::vector<Document>> all_documents(const Collection& collection) {
  constexpr std::size_t kBatch = 4096;
  std::vector<Document> documents;
  for (std::size_t begin = 0; begin < collection.size(); begin += kBatch) {
    std::vector<std::uint32_t> ordinals(std::min(kBatch, collection.size() - begin));
    std::iota(ordinals.begin(), ordinals.end(), static_cast<std::uint32_t>(begin));
    ASSIGN_OR_RETURN(std::vector<Document> batch, collection.documents(ordinals));
    std::ranges::move(batch, std::back_inserter(documents));
  }
  return documents;
}

/// A search says which collection its vectors are of; a sweep, which is given the vectors alone, cannot.
Status check_vectors(const Collection& collection, std::string_view name) {
  const MatrixView vectors = collection.vectors();
  for (std::size_t row = 0; row < vectors.rows; ++row) {
    if (is_finite(vectors.row(row))) continue;
    return fail(ErrorCode::kCorruptData, "{}: the vector of document {} is not finite", name, row);
  }
  return {};
}

Status open_first_stages(const PipelineRequest& request, OpenPipelines& open) {
  const std::vector<std::string>& stages = request.pipelines.first_stages;
  const std::vector<std::string> names = stems_of(stages);
  open.runs.reserve(stages.size());  // The stages point into it.
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (stages[i] != kBiStage) {
      ASSIGN_OR_RETURN(Run run, Run::read(stages[i]));
      open.runs.push_back(std::move(run));
      open.first_stages.push_back({.name = names[i], .run = &open.runs.back()});
      continue;
    }
    ASSIGN_OR_RETURN(open.bi_encoder, open_encoder_of(open.collection, request.stages.model, request.stages.compute));
    RETURN_IF_ERROR(open.collection.check_encoder(*open.bi_encoder));
    RETURN_IF_ERROR(check_vectors(open.collection, request.collection));
    open.first_stages.push_back({.name = kBiStage,
                                 .bi_encoder = &*open.bi_encoder,
                                 .vectors = open.collection.vectors(),
                                 .metric = open.collection.info().metric});
  }
  return {};
}

/// Cheap files first, so that a mistake shows before any model is read.
Status open_pipelines(const PipelineRequest& request, OpenPipelines& open) {
  ASSIGN_OR_RETURN(open.qrels, Qrels::read(request.qrels));
  ASSIGN_OR_RETURN(const std::vector<Query> queries, read_queries(request.queries_file));
  for (const Query& query : queries) open.queries.push_back({.id = query.id, .text = query.text});
  RETURN_IF_ERROR(open_first_stages(request, open));
  if (request.stages.search.mode != SearchMode::kBi) {
    ComputeFlags compute = request.stages.compute;
    compute.max_length = request.stages.cross_max_length;
    ASSIGN_OR_RETURN(open.cross_encoder,
                     open_cross_encoder(request.stages.cross_model, compute, request.stages.activation));
  }
  ASSIGN_OR_RETURN(open.documents, all_documents(open.collection));
  return {};
}

// ---------------------------------------------------------------------------------------------------------- tables

std::string quality_table(const SweepResult& result) {
  TableRows rows{{"quality"}};
  std::ranges::copy(metric_names(result), std::back_inserter(rows.front()));
  for (const SettingResult& setting : result.settings) {
    std::vector<std::string>& row = rows.emplace_back(1, setting.setting.name());
    for (std::size_t metric = 0; metric < setting.means.size(); ++metric) {
      const Interval& interval = setting.intervals[metric];
      row.push_back(fmt::format("{:.4f} ±{:.3f}", setting.means[metric], (interval.high - interval.low) / 2));
    }
  }
  return to_table(rows);
}

std::string time_table(const SweepResult& result, std::size_t results) {
  TableRows rows{{"ms, p50/p95", "encode", "retrieve", "rerank", "total", fmt::format("found in {}", results),
                  "lost in retrieval", "lost in ranking"}};
  for (const SettingResult& setting : result.settings) {
    std::vector<std::string>& row = rows.emplace_back(1, setting.setting.name());
    for (const Latency* latency : {&setting.encode, &setting.retrieve, &setting.rerank, &setting.total}) {
      row.push_back(latency->mean == 0 ? "-" : fmt::format("{:.1f}/{:.1f}", latency->p50, latency->p95));
    }
    for (const std::size_t count : {setting.answers.found, setting.answers.in_retrieval, setting.answers.in_ranking}) {
      row.push_back(fmt::format("{}", count));
    }
  }
  return to_table(rows);
}

// ------------------------------------------------------------------------------------------------------------ JSON

void write_per_query(JsonWriter& json, const SweepResult& result, const SettingResult& setting) {
  const std::vector<std::string> names = metric_names(result);
  json.key("per_query").begin_object();
  for (std::size_t query = 0; query < result.query_ids.size(); ++query) {
    json.key(result.query_ids[query]).begin_object();
    for (std::size_t metric = 0; metric < names.size(); ++metric) {
      json.key(names[metric]).value(setting.values[metric][query]);
    }
    json.key("times");
    write_json(json, setting.times[query]).end_object();
  }
  json.end_object();
}

void write_setting(JsonWriter& json, const SweepResult& result, const SettingResult& setting, bool per_query) {
  json.begin_object();
  write_setting_members(json, result, setting);
  if (per_query) write_per_query(json, result, setting);
  json.end_object();
}

std::string to_json(const PipelineRequest& request, const OpenPipelines& open, const SweepResult& result) {
  JsonWriter json;
  json.begin_object().key("collection").value(request.collection).key("qrels").value(request.qrels);
  json.key("documents").value(result.documents).key("queries").value(result.query_ids.size());
  if (open.bi_encoder) {
    json.key("model").value(open.collection.info().encoder.model).key("compute");
    write_json(json, open.bi_encoder->compute());
  }
  if (open.cross_encoder) {
    json.key("cross_model").value(open.cross_encoder->model()).key("cross_compute");
    write_json(json, open.cross_encoder->compute());
  }
  json.key("results").value(request.pipelines.results).key("relevance_level").value(request.relevance_level);
  json.key("confidence").value(request.bootstrap.confidence);
  json.key("seed").value(static_cast<std::uint64_t>(request.bootstrap.seed)).key("settings").begin_array();
  for (const SettingResult& setting : result.settings) write_setting(json, result, setting, request.per_query);
  write_ceilings(json.end_array().key("ceilings"), result);
  json.key("pair_ms").value(result.pair_ms);
  write_json(json.key("counts"), result.counts).key("truncation");
  write_json(json, result.truncation).key("remarks").begin_array();
  for (const std::string& remark : result.remarks) json.value(remark);
  return json.end_array().end_object().take() + "\n";
}

std::string per_query_lines(const SweepResult& result) {
  const std::vector<std::string> names = metric_names(result);
  std::string lines;
  for (const SettingResult& setting : result.settings) {
    for (std::size_t query = 0; query < result.query_ids.size(); ++query) {
      for (std::size_t metric = 0; metric < names.size(); ++metric) {
        lines += fmt::format("{}\t{}\t{}\t{:.6f}\n", shown_field(setting.setting.name()), result.query_ids[query],
                             names[metric], setting.values[metric][query]);
      }
    }
  }
  return lines;
}

}  // namespace

void add_pipeline_options(CLI::App& command, PipelineFlags& flags) {
  CLI::Option* pipelines = command.add_flag(
      "--pipelines", flags.enabled,
      "Measure many settings on the COLLECTION: first stages alone, and reranked at every depth and alpha");
  for (const char* other : {"--run", "--pairs", "--output-run", "--answered-only", "--initial-top-k", "--rerank-top-n",
                            "--final-top-k", "--alpha"}) {
    command.get_option(other)->excludes(pipelines);
  }
  const auto add = [&](CLI::Option* option) { return option->needs(pipelines); };
  add(command.add_option("--depths", flags.depths, "How many candidates are reranked; separated by commas"))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 1 << 20).description(""))
      ->type_name("N,…")
      ->capture_default_str();
  add(command.add_option("--alphas", flags.alphas, "Weights of the cross-encoder; separated by commas"))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->type_name("A,…")
      ->capture_default_str();
  add(command.add_option("--first-stage", flags.first_stages,
                         "bi, the COLLECTION's bi-encoder, or a TREC run of its documents; give it again for several"))
      ->allow_extra_args(false)
      ->type_name("bi|F")
      ->capture_default_str();
  add(command.add_flag_callback(
      "--cross-only", [&flags] { flags.cross_only = true; }, "Also score every document with the cross-encoder"));
  add(command.add_flag_callback(
          "--no-cross-only", [&flags] { flags.cross_only = false; }, "Do not; the default without --budget"))
      ->excludes("--cross-only");
  add(command.add_option("--budget", flags.budget_s, "Seconds after which the queries answered so far are compared"))
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("S");
  add(add_count(command, "--sample", flags.sample, 1, 1 << 30, "Measure N judged queries, drawn with --seed"));
  add(add_count(command, "--results", flags.results, 1, 1 << 20, "An answer counts as found among the first N results"))
      ->capture_default_str();
  add(command.add_option("--cache", flags.cache,
                         "A file that keeps what was computed, so that what is interrupted goes on where it stopped"))
      ->type_name("F");
}

Status evaluate_pipelines(const PipelineRequest& request) {
  if (request.stages.search.mode == SearchMode::kCross) {
    return fail(ErrorCode::kInvalidArgument,
                "--pipelines goes with --mode hybrid, or bi for first stages alone; --cross-only adds the "
                "cross-encoder over everything");
  }
  const PipelineFlags& flags = request.pipelines;
  ASSIGN_OR_RETURN(Collection collection, Collection::open(request.collection));
  OpenPipelines open(std::move(collection));
  RETURN_IF_ERROR(open_pipelines(request, open));
  ASSIGN_OR_RETURN(EncoderCache cache,
                   flags.cache.empty() ? EncoderCache::in_memory() : EncoderCache::open(flags.cache));
  const SweepInput input{.documents = open.documents,
                         .queries = open.queries,
                         .qrels = &open.qrels,
                         .first_stages = open.first_stages,
                         .cross_encoder = open.cross_encoder ? &*open.cross_encoder : nullptr};
  const SweepOptions options{.metrics = request.metrics,
                             .depths = flags.depths,
                             .alphas = flags.alphas,
                             .cross_only = flags.cross_only.value_or(flags.budget_s.has_value()),
                             .budget_s = flags.budget_s,
                             .queries_max = flags.sample,
                             .results = flags.results,
                             .seed = request.bootstrap.seed,
                             .bootstrap = request.bootstrap,
                             .relevance_level = request.relevance_level};
  SweepResult result;
  {
    ProgressBar bar;
    ASSIGN_OR_RETURN(result, sweep(input, options, cache, bar.callback()));
  }
  RETURN_IF_ERROR(open.collection.check_unchanged());  // The first stages read its vectors.
  for (const std::string& remark : result.remarks) note(remark);
  if (request.json) return print(to_json(request, open, result));
  RETURN_IF_ERROR(print(fmt::format("{}\n{}\n{}\n{}\n", quality_table(result), time_table(result, flags.results),
                                    to_table(ceiling_rows(result)), describe(result.counts))));
  if (request.per_query) RETURN_IF_ERROR(print(per_query_lines(result)));
  note(fmt::format("{} queries of {} over {}; {}{}; ± is half of the {:g} % interval", result.query_ids.size(),
                   request.qrels, count_of(result.documents, "document"), describe_truncation(result),
                   open.cross_encoder ? "; pairs: " + describe(open.cross_encoder->compute()) : "",
                   request.bootstrap.confidence * 100));
  return {};
}

}  // namespace tandem::cli
