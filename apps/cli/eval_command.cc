// tandem eval: metrics of runs, of searches, and of encoders on labelled pairs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/string_map.h"
#include "collection_search.h"
#include "commands.h"
#include "descriptions.h"
#include "eval_output.h"
#include "input.h"
#include "options.h"
#include "pair_evaluation.h"
#include "pipeline_evaluation.h"
#include "tandem/evaluation.h"
#include "tandem/significance.h"
#include "terminal.h"

namespace tandem::cli {

namespace {

constexpr std::size_t kResultsPerQuery = 100;

struct EvalFlags {
  // Rankings: of files, or of a search.
  std::string qrels;
  std::vector<std::string> runs;
  std::vector<std::string> metrics{"ndcg@10", "map", "mrr@10", "recall@100", "precision@10", "f1@10"};
  EvaluationOptions evaluation;
  ComparisonOptions comparison;
  std::string collection;
  std::string queries_file;
  TextOptions queries_text;
  std::string output_run;
  std::string tag = kDefaultTag;
  StageFlags stages;
  PipelineFlags pipelines;
  // Pairs.
  std::string pairs;
  VectorFlags vectors;
  double threshold = kPairThreshold;
  bool per_query = false;
  bool json = false;
};

// ----------------------------------------------------------------------------------------------------------- pairs

Status run_pairs(const EvalFlags& flags) {
  ASSIGN_OR_RETURN(const std::vector<LabelledPair> pairs, read_labelled_pairs(flags.pairs));
  std::vector<MeasuredEncoder> encoders;
  if (flags.stages.search.mode != SearchMode::kCross) {
    const ModelName model = flags.stages.model ? ModelName(*flags.stages.model) : kDefaultBiEncoder;
    ASSIGN_OR_RETURN(const BiEncoder encoder, open_bi_encoder(model, flags.stages.compute, flags.vectors));
    ProgressBar bar;
    ASSIGN_OR_RETURN(MeasuredEncoder measured,
                     measure_on_pairs(encoder, model.text(), pairs, flags.threshold, bar.call()));
    encoders.push_back(std::move(measured));
  }
  if (flags.stages.search.mode != SearchMode::kBi) {
    ASSIGN_OR_RETURN(const CrossEncoder encoder, open_cross_encoder(flags.stages.cross, flags.stages.compute));
    ProgressBar bar;
    ASSIGN_OR_RETURN(MeasuredEncoder measured, measure_on_pairs(encoder, pairs, flags.threshold, bar.call()));
    encoders.push_back(std::move(measured));
  }
  if (flags.json) {
    JsonWriter json;
    json.begin_object().key("pairs").value(flags.pairs).key("encoders").begin_array();
    for (const MeasuredEncoder& encoder : encoders) write_json(json, encoder, flags.per_query);
    return print(json.end_array().end_object().take() + "\n");
  }
  RETURN_IF_ERROR(print(to_table(encoders)));
  for (const auto& [name, evaluation, compute] : encoders) {
    for (std::size_t i = 0; flags.per_query && i < pairs.size(); ++i) {
      RETURN_IF_ERROR(print(fmt::format("{}\t{}\t{:.6f}\n", shown_field(name), i + 1, evaluation.scores[i])));
    }
    note(fmt::format("{}: {}; {}", name, describe(compute), describe(evaluation.truncation)));
  }
  return {};
}

// -------------------------------------------------------------------------------------------------------- rankings

struct NamedRun {
  std::string name;
  Run run;
};

/// How long each part took, for the JSON.
struct EvalTimes {
  double read_ms = 0;
  double search_ms = 0;
  double evaluate_ms = 0;
  double compare_ms = 0;
};

Result<std::vector<NamedRun>> read_runs(const std::vector<std::string>& paths) {
  std::vector<NamedRun> runs;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(Run run, Run::read(path));
    runs.push_back({.name = path, .run = std::move(run)});
  }
  return runs;
}

/// What a search is measured on: the queries that are asked and judged, as in a sweep.
struct AskedQueries {
  std::vector<Query> queries;
  Qrels qrels;                 // Of these alone.
  std::size_t not_judged = 0;  // Left out, as what they find would count for nothing.
  std::size_t not_asked = 0;   // Left out, though the qrels have them.
};

Result<AskedQueries> asked_queries(const EvalFlags& flags, const Qrels& qrels) {
  AskedQueries asked;
  ASSIGN_OR_RETURN(asked.queries, read_queries(flags.queries_file, flags.queries_text));
  const std::vector<std::string_view> judged_ids = qrels.query_ids();
  const StringSet judged(judged_ids.begin(), judged_ids.end());
  asked.not_judged = std::erase_if(asked.queries, [&](const Query& query) { return !judged.contains(query.id); });
  if (asked.queries.empty()) {
    return fail(ErrorCode::kConflict, "{}: none of its {} queries is in the qrels, which begin with '{}'",
                flags.queries_file, asked.not_judged, judged_ids.front());
  }
  StringSet asked_ids;
  for (const Query& query : asked.queries) asked_ids.insert(query.id);
  std::vector<std::string_view> both = judged_ids;
  asked.not_asked = std::erase_if(both, [&](std::string_view id) { return !asked_ids.contains(id); });
  ASSIGN_OR_RETURN(asked.qrels, qrels.of_queries(both));
  if (asked.not_judged > 0) {
    note(fmt::format("{} no judgement: left out", count_of(asked.not_judged, "query has", "queries have")));
  }
  if (asked.not_asked > 0) {
    note(fmt::format("{} among the queries: left out",
                     count_of(asked.not_asked, "judged query is not", "judged queries are not")));
  }
  return asked;
}

void warn_of_short_results(const EvalFlags& flags, std::span<const RankingMetric> metrics) {
  for (const RankingMetric& metric : metrics) {
    if (metric.cutoff > flags.stages.search.final_top_k) {
      note(fmt::format("{} looks at more than the {} results of --final-top-k", ranking_metric_name(metric),
                       flags.stages.search.final_top_k));
    }
  }
}

Result<NamedRun> search_collection(const EvalFlags& flags, const std::vector<Query>& queries) {
  // Made and thrown away: better to know now than after an hour of searching.
  if (!flags.output_run.empty()) RETURN_IF_ERROR(ReplacementFile::create(flags.output_run));
  ASSIGN_OR_RETURN(const CollectionSearch search, CollectionSearch::open(flags.collection, flags.stages));
  const Stopwatch stopwatch;
  ASSIGN_OR_RETURN(SearchedRun searched, search.run(queries));
  note(fmt::format("{} over {} in {:.2f} s ({}); {}", count_of(queries.size(), "query", "queries"),
                   count_of(search.collection().size(), "document"), stopwatch.seconds(), describe(search.compute()),
                   describe(searched.truncation)));
  if (!flags.output_run.empty()) RETURN_IF_ERROR(searched.run.write(flags.output_run, flags.tag));
  return NamedRun{.name = flags.collection, .run = std::move(searched.run)};
}

Result<std::vector<RankingMetric>> parse_metrics(const std::vector<std::string>& names) {
  std::vector<RankingMetric> metrics;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const RankingMetric metric, parse_ranking_metric(name));
    if (std::ranges::find(metrics, metric) == metrics.end()) metrics.push_back(metric);
  }
  return metrics;
}

Status compare_with_first(std::vector<MeasuredRun>& runs, const ComparisonOptions& options) {
  ProgressBar bar;
  std::size_t done = 0;
  for (std::size_t run = 1; run < runs.size(); ++run) {
    for (std::size_t metric = 0; metric < runs[run].evaluation.values.size(); ++metric) {
      bar.update("comparing", "metrics", done++, std::nullopt);
      ASSIGN_OR_RETURN(const Comparison comparison,
                       compare_paired(runs[0].evaluation.values[metric], runs[run].evaluation.values[metric], options));
      runs[run].comparisons.push_back(comparison);
    }
  }
  return {};
}

std::string to_json(const EvalFlags& flags, std::span<const RankingMetric> metrics, std::span<const MeasuredRun> runs,
                    const std::optional<AskedQueries>& asked, const EvalTimes& times) {
  JsonWriter json;
  json.begin_object().key("qrels").value(flags.qrels).key("runs").begin_array();
  for (const MeasuredRun& run : runs) write_json(json, metrics, run, flags.per_query);
  json.end_array().key("relevance_level").value(flags.evaluation.relevance_level);
  if (asked) {
    json.key("queries_not_judged").value(asked->not_judged).key("queries_not_asked").value(asked->not_asked);
  }
  if (runs.size() > 1) {
    json.key("confidence").value(flags.comparison.bootstrap.confidence);
    json.key("resamples").value(flags.comparison.bootstrap.resamples);
    json.key("seed").value(static_cast<std::uint64_t>(flags.comparison.seed));
  }
  json.key("times").begin_object().key("read_ms").value(times.read_ms).key("search_ms").value(times.search_ms);
  json.key("evaluate_ms").value(times.evaluate_ms).key("compare_ms").value(times.compare_ms).end_object();
  return json.end_object().take() + "\n";
}

Status run_rankings(const EvalFlags& flags) {
  ASSIGN_OR_RETURN(const std::vector<RankingMetric> metrics, parse_metrics(flags.metrics));
  EvalTimes times;
  Stopwatch stopwatch;
  const auto lap = [&stopwatch] {
    const double elapsed = stopwatch.milliseconds();
    stopwatch = Stopwatch();
    return elapsed;
  };
  ASSIGN_OR_RETURN(const Qrels qrels, Qrels::read(flags.qrels));
  ASSIGN_OR_RETURN(std::vector<NamedRun> runs, read_runs(flags.runs));
  std::optional<AskedQueries> asked;
  if (!flags.collection.empty()) {
    ASSIGN_OR_RETURN(asked, asked_queries(flags, qrels));
  }
  times.read_ms = lap();
  if (asked) {
    warn_of_short_results(flags, metrics);
    ASSIGN_OR_RETURN(NamedRun run, search_collection(flags, asked->queries));
    runs.push_back(std::move(run));
    times.search_ms = lap();
  }
  std::vector<MeasuredRun> measured;
  for (const NamedRun& run : runs) {
    Result<Evaluation> evaluation = evaluate(run.run, asked ? asked->qrels : qrels, metrics, flags.evaluation);
    if (!evaluation) return fail_in(run.name, evaluation.error());
    measured.push_back({.name = run.name, .evaluation = std::move(*evaluation), .comparisons = {}});
  }
  times.evaluate_ms = lap();
  RETURN_IF_ERROR(compare_with_first(measured, flags.comparison));
  times.compare_ms = lap();
  for (const MeasuredRun& run : measured) {
    for (const std::string& remark : remarks_on(run, flags.evaluation.answered_only)) note(remark);
  }
  if (flags.json) return print(to_json(flags, metrics, measured, asked, times));
  RETURN_IF_ERROR(print(to_table(metrics, measured, flags.comparison.bootstrap.confidence)));
  for (const MeasuredRun& run : measured) {
    if (flags.per_query) RETURN_IF_ERROR(print(per_query_lines(metrics, run)));
  }
  note(
      fmt::format("{} of {}", count_of(measured.front().evaluation.query_ids.size(), "query", "queries"), flags.qrels));
  return {};
}

// ------------------------------------------------------------------------------------------------------- pipelines

Status run_pipelines(const EvalFlags& flags) {
  ASSIGN_OR_RETURN(const std::vector<RankingMetric> metrics, parse_metrics(flags.metrics));
  return evaluate_pipelines({.collection = flags.collection,
                             .queries_file = flags.queries_file,
                             .queries_text = flags.queries_text,
                             .qrels = flags.qrels,
                             .stages = flags.stages,
                             .pipelines = flags.pipelines,
                             .metrics = metrics,
                             .relevance_level = flags.evaluation.relevance_level,
                             .bootstrap = flags.comparison.bootstrap,
                             .per_query = flags.per_query,
                             .json = flags.json});
}

// --------------------------------------------------------------------------------------------------------- command

/// What cannot be told from one option alone.
Status check_flags(const EvalFlags& flags) {
  const auto refuse = [](std::string_view message) { return fail(ErrorCode::kInvalidArgument, "{}", message); };
  const bool rankings = !flags.qrels.empty() || !flags.runs.empty() || !flags.collection.empty();
  if (!flags.pairs.empty()) {
    return rankings ? refuse("--pairs is measured by itself: without --qrels, --run and COLLECTION") : Status();
  }
  if (flags.qrels.empty()) return refuse("what is relevant? give --qrels, or --pairs with labels");
  if (flags.runs.empty() == flags.collection.empty()) {
    return refuse("what is to be measured? give files with --run, or a COLLECTION with --queries");
  }
  if (flags.collection.empty() != flags.queries_file.empty()) {
    return refuse("a COLLECTION and --queries go together");
  }
  if (flags.collection.empty() && flags.pipelines.enabled) return refuse("--pipelines needs a COLLECTION");
  if (flags.collection.empty() && !flags.output_run.empty()) return refuse("--output-run needs a COLLECTION");
  if (flags.runs.size() > 1 && flags.evaluation.answered_only) {
    return refuse("--answered-only leaves each run its own queries, which cannot be compared: give one --run");
  }
  RETURN_IF_ERROR(check_is_no_input("--output-run", flags.output_run,
                                    std::vector{flags.queries_file, flags.qrels, flags.collection}));
  // CLI11's ranges let NaN pass.
  if (!std::isfinite(flags.comparison.bootstrap.confidence)) return refuse("--confidence is no number");
  if (!std::isfinite(flags.threshold)) return refuse("--threshold is no finite number");
  return {};
}

Status run_eval(const EvalFlags& flags) {
  RETURN_IF_ERROR(check_flags(flags));
  if (!flags.pairs.empty()) return run_pairs(flags);
  return flags.pipelines.enabled ? run_pipelines(flags) : run_rankings(flags);
}

std::vector<IdleOptions> idle_options(const EvalFlags& flags) {
  const auto on_pairs = [&flags] { return !flags.pairs.empty(); };
  const auto in_sweep = [&flags] { return flags.pipelines.enabled; };
  std::vector<IdleOptions> idle{
      {{"--queries", "--output-run", "--metrics", "--relevance-level", "--answered-only", "--initial-top-k",
        "--final-top-k", "--rerank-top-n", "--alpha", "--min-score", "--tag", "--drop-self", "--seed",
        "--min-probability", "--confidence", "--permutations", "--resamples"},
       "with --pairs",
       on_pairs},
      {{"--threshold", "--adapter", "--pooling", "--normalize", "--no-normalize", "--dimensions", "--prompt",
        "--query-prompt", "--document-prompt"},
       "without --pairs",  // A COLLECTION remembers its own.
       [on_pairs] { return !on_pairs(); }},
      {{"--adapter", "--pooling", "--normalize", "--no-normalize", "--dimensions", "--prompt", "--query-prompt",
        "--document-prompt"},
       "with --mode cross",
       [&flags] { return flags.stages.search.mode == SearchMode::kCross; }},
      {{"--queries",      "--output-run",  "--tag",          "--mode",       "--initial-top-k",
        "--rerank-top-n", "--final-top-k", "--alpha",        "--min-score",  "--min-probability",
        "--drop-self",    "--model",       "--cross-model",  "--activation", "--max-length",
        "--precision",    "--threads",     "--batch-tokens", "--offline",    "--fetch-named"},
       "without a COLLECTION",
       [&flags, on_pairs] { return flags.collection.empty() && !on_pairs(); }},
      {{"--run", "--output-run", "--answered-only", "--initial-top-k", "--rerank-top-n", "--final-top-k", "--alpha",
        "--min-score", "--min-probability", "--permutations"},
       "with --pipelines",
       in_sweep},
      {{"--confidence", "--permutations", "--resamples", "--seed"},
       "without a second --run",
       [&flags, in_sweep] { return flags.runs.size() < 2 && !in_sweep(); }},
      {{"--tag"}, "without --output-run", [&flags] { return flags.output_run.empty(); }},
      {{"--alphas", "--cross-only", "--no-cross-only"},
       "with --mode bi",
       [&flags] { return flags.stages.search.mode == SearchMode::kBi; }},
      {{"--model", "--fetch-named"},
       "without --first-stage bi",
       [&flags, in_sweep] { return in_sweep() && !uses_bi_encoder(flags.pipelines); }},
  };
  std::ranges::move(idle_stage_options(flags.stages.search.mode), std::back_inserter(idle));
  return idle;
}

void add_comparison_options(CLI::App& command, ComparisonOptions& options) {
  command.add_option("--confidence", options.bootstrap.confidence, "Of the intervals")
      ->check(CLI::Range(0.5, 0.9999).description(""))
      ->type_name("C")
      ->capture_default_str();
  add_count(command, "--permutations", options.permutations, 1, 1 << 24,
            "Random sign patterns of the permutation test; where there are no more, each is tried once")
      ->capture_default_str();
  add_count(command, "--resamples", options.bootstrap.resamples, 1, 1 << 24, "Of the bootstrap")->capture_default_str();
  command
      .add_option_function<std::uint32_t>(
          "--seed", [&options](std::uint32_t seed) { options.seed = options.bootstrap.seed = seed; },
          "Of the permutation test, the bootstrap and --sample; default: 0")
      ->type_name("N");
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
  CLI::App* command = add_command<EvalFlags>(
      app, action, "eval", "Measure rankings against judgements, or encoders on labelled pairs",
      [](CLI::App& command, EvalFlags& flags) {
        flags.stages.search.final_top_k = kResultsPerQuery;
        command.add_option("COLLECTION", flags.collection, "A collection to search, instead of --run");
        add_qrels_option(command, flags.qrels);
        command
            .add_option("--run", flags.runs,
                        "A TREC run; give it again to compare others with the first: difference, interval, p-values")
            ->type_name("F")
            ->allow_extra_args(false);
        command
            .add_option("--metrics", flags.metrics,
                        "Separated by commas: ndcg, ndcg_exp, map, mrr, recall, precision, f1, success, each with or "
                        "without a cutoff such as @10, and rprec")
            ->delimiter(',')
            ->allow_extra_args(false)
            ->type_name("M")
            ->capture_default_str();
        add_count(command, "--relevance-level", flags.evaluation.relevance_level, 1, kCountMax,
                  "The smallest relevance that counts as relevant")
            ->capture_default_str();
        command.add_flag("--answered-only", flags.evaluation.answered_only,
                         "Average over the queries that the run answers, as trec_eval does without -c");
        add_comparison_options(command, flags.comparison);
        command.add_option("--queries", flags.queries_file, "What to search the COLLECTION for, as for tandem search")
            ->type_name("F");
        add_query_text_options(command, flags.queries_text);
        command.add_option("--output-run", flags.output_run, "Where to write what the search found, as a TREC run")
            ->type_name("F");
        add_tag_option(command, flags.tag, "The last column of that run");
        add_search_options(command, flags.stages.search);
        add_drop_self_option(command, flags.stages.search.drop_self);
        command
            .add_option("--pairs", flags.pairs,
                        "Measure encoders on pairs instead: JSONL with \"query\" and \"document\", or \"text_a\" and "
                        "\"text_b\", and \"label\" (0 or 1) or \"score\" (a grade); --mode bi or cross for one alone")
            ->type_name("F");
        command.add_option("--threshold", flags.threshold, "From which score on a pair is called positive")
            ->type_name("T")
            ->capture_default_str();
        add_vector_options(command, flags.vectors);
        add_prompt_option(command, flags.vectors);
        add_role_prompt_options(command, flags.vectors);
        add_stage_options(command, flags.stages);
        command.add_flag("--per-query", flags.per_query, "Also print every query's value, or every pair's score");
        add_pipeline_options(command, flags.pipelines);
        add_json_option(command, flags.json);
        refuse_idle_options(command, idle_options(flags));
      },
      run_eval);
  command->footer(
      "The values are those of trec_eval; see docs/evaluation.md for what counts how.\n"
      "Examples:\n"
      "  tandem eval --qrels examples/data/qrels.tsv --run examples/data/keyword.trec --metrics ndcg@3,mrr\n"
      "  tandem index sample.tandem examples/data/corpus.jsonl examples/data/faq.jsonl\n"
      "  tandem eval sample.tandem --queries examples/data/queries.jsonl --qrels examples/data/qrels.tsv --mode bi "
      "--output-run bi.trec\n"
      "  tandem eval --qrels examples/data/qrels.tsv --run examples/data/keyword.trec --run bi.trec\n"
      "  tandem eval sample.tandem --queries examples/data/queries.jsonl --qrels examples/data/qrels.tsv --pipelines "
      "--depths 20,5\n"
      "  tandem eval --pairs examples/data/sentence_pairs.jsonl --activation sigmoid");
}

}  // namespace tandem::cli
