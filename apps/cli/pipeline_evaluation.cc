#include "pipeline_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "descriptions.h"
#include "sweep_output.h"
#include "terminal.h"
#include "wire/compute_json.h"
#include "wire/json_parts.h"
#include "wire/sweep_json.h"

namespace tandem::cli {

namespace {

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
  std::vector<SweepStage> first_stages = {};
};

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
    open.first_stages.push_back({.name = kBiStage, .bi_encoder = &*open.bi_encoder, .collection = &open.collection});
  }
  return {};
}

/// Cheap files first, so that a mistake shows before any model is read.
Status open_pipelines(const PipelineRequest& request, OpenPipelines& open) {
  ASSIGN_OR_RETURN(open.qrels, Qrels::read(request.qrels));
  ASSIGN_OR_RETURN(open.queries, read_queries(request.queries_file, request.queries_text));
  RETURN_IF_ERROR(open_first_stages(request, open));
  if (request.stages.search.mode != SearchMode::kBi) {
    ASSIGN_OR_RETURN(open.cross_encoder, open_cross_encoder(request.stages.cross, request.stages.compute));
  }
  ASSIGN_OR_RETURN(open.documents, open.collection.all_documents());
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

std::string to_json(const PipelineRequest& request, const OpenPipelines& open, const SweepResult& result) {
  JsonWriter json;
  json.begin_object().key("collection").value(request.collection).key("qrels").value(request.qrels);
  json.key("documents").value(result.documents).key("queries").value(result.query_ids.size());
  if (open.bi_encoder) {
    json.key("model").value(open.collection.info().recipe.encoder.model);
    write_json(json.key("compute"), open.bi_encoder->compute());
  }
  if (open.cross_encoder) {
    json.key("cross_model").value(open.cross_encoder->model());
    write_json(json.key("cross_compute"), open.cross_encoder->compute());
  }
  json.key("results").value(request.pipelines.results).key("relevance_level").value(request.relevance_level);
  json.key("confidence").value(request.bootstrap.confidence);
  json.key("seed").value(static_cast<std::uint64_t>(request.bootstrap.seed)).key("settings").begin_array();
  for (const SettingResult& setting : result.settings) {
    write_members(json.begin_object(), result, setting);
    if (request.per_query) write_per_query(json.key("per_query"), result, setting);
    json.end_object();
  }
  write_ceilings(json.end_array().key("ceilings"), result);
  json.key("pair_ms").value(result.pair_ms);
  write_json(json.key("counts"), result.counts);
  write_json(json.key("truncation"), result.truncation);
  return write_json(json.key("remarks"), result.remarks).end_object().take() + "\n";
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

bool uses_bi_encoder(const PipelineFlags& flags) {
  return std::ranges::find(flags.first_stages, kBiStage) != flags.first_stages.end();
}

void add_pipeline_options(CLI::App& command, PipelineFlags& flags) {
  CLI::Option* pipelines = command.add_flag(
      "--pipelines", flags.enabled,
      "Measure many settings on the COLLECTION: first stages alone, and reranked at every depth and alpha");
  command.get_option("--pairs")->excludes(pipelines);
  const auto add = [&](CLI::Option* option) { return option->needs(pipelines); };
  add(add_depths_option(command, flags.depths));
  add(add_alphas_option(command, flags.alphas));
  add(command.add_option("--first-stage", flags.first_stages,
                         "bi, the COLLECTION's bi-encoder, or a TREC run of its documents; give it again for several"))
      ->allow_extra_args(false)
      ->type_name("bi|F")
      ->capture_default_str();
  for (CLI::Option* option : add_cross_only_options(command, flags.cross_only, "without --budget")) add(option);
  add(command.add_option("--budget", flags.budget_s, "Seconds after which the queries answered so far are compared"))
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("S");
  add(add_count(command, "--sample", flags.sample, 1, 1 << 30, "Measure N judged queries, drawn with --seed"));
  add(add_count(command, "--results", flags.results, 1, kCountMax,
                "An answer counts as found among the first N results"))
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
  ASSIGN_OR_RETURN(Collection collection,
                   Collection::open(request.collection, {.executor = request.stages.compute.compute.executor}));
  OpenPipelines open(std::move(collection));
  RETURN_IF_ERROR(open_pipelines(request, open));
  ASSIGN_OR_RETURN(EncoderCache cache,
                   flags.cache.empty() ? EncoderCache::in_memory() : EncoderCache::open(flags.cache));
  const SweepInput input{.documents = open.documents,
                         .queries = open.queries,
                         .qrels = &open.qrels,
                         .first_stages = open.first_stages,
                         .cross_encoder = open.cross_encoder ? &*open.cross_encoder : nullptr,
                         .title_separator = open.collection.info().recipe.title_separator};
  const SweepOptions options{.metrics = request.metrics,
                             .depths = flags.depths,
                             .alphas = flags.alphas,
                             .cross_only = flags.cross_only.value_or(flags.budget_s.has_value()),
                             .budget_s = flags.budget_s,
                             .queries_max = flags.sample,
                             .results = flags.results,
                             .seed = request.bootstrap.seed,
                             .bootstrap = request.bootstrap,
                             .relevance_level = request.relevance_level,
                             .drop_self = request.stages.search.drop_self};
  SweepResult result;
  {
    ProgressBar bar;
    ASSIGN_OR_RETURN(result, sweep(input, options, cache, bar.call()));
  }
  for (const std::string& remark : result.remarks) note(remark);
  if (request.json) return print(to_json(request, open, result));
  RETURN_IF_ERROR(print(fmt::format("{}\n{}\n{}\n{}\n", quality_table(result), time_table(result, flags.results),
                                    to_table(ceiling_rows(result)), describe(result.counts))));
  if (request.per_query) RETURN_IF_ERROR(print(per_query_lines(result)));
  note(fmt::format("{} of {} over {}; {}{}; ± is half of the {:g} % interval",
                   count_of(result.query_ids.size(), "query", "queries"), request.qrels,
                   count_of(result.documents, "document"), describe_truncation(result),
                   open.cross_encoder ? "; pairs: " + describe(open.cross_encoder->compute()) : "",
                   request.bootstrap.confidence * 100));
  return {};
}

}  // namespace tandem::cli
