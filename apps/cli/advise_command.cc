// tandem advise: which setting of the pipeline to run, measured on one's own corpus.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "advise_output.h"
#include "base/error.h"
#include "collection_search.h"
#include "commands.h"
#include "input.h"
#include "names.h"
#include "options.h"
#include "page_files.h"
#include "scenarios.h"
#include "tandem/advisor.h"
#include "tandem/corpus.h"
#include "tandem/sweep.h"
#include "tandem/test_set.h"
#include "terminal.h"

namespace tandem::cli {

namespace {

constexpr const char* kNone = "none";
constexpr const char* kJudged = "judged";
constexpr const char* kClicks = "clicks";
constexpr const char* kSelfMade = "self-made";

struct AdviseFlags {
  std::vector<std::string> files;
  CorpusOptions corpus;
  // The test.
  std::string queries_file;
  TextOptions queries_text;
  std::string qrels;
  std::string clicks;
  ClickLogOptions click_log;
  QuerySource queries_from = QuerySource::kAuto;
  std::size_t sample = 200;
  // The settings.
  std::vector<std::string> first_stages{kBiStage};
  std::vector<ModelName> models{kDefaultBiEncoder};
  CrossFlags cross;
  std::vector<std::size_t> depths = SweepOptions{}.depths;
  std::vector<float> alphas = SweepOptions{}.alphas;
  std::optional<bool> cross_only;  // Default: where a budget bounds it.
  ComputeFlags compute;
  // The goal.
  std::string metric = "ndcg@10";
  std::size_t results = SweepOptions{}.results;
  Goal goal;
  std::optional<double> price_per_hour;
  // How, and where to.
  std::string budget = "5m";
  std::uint32_t seed = 0;
  std::string cache;
  std::string report;
  std::string svg;
  bool scenarios = false;
  bool json = false;
};

// ------------------------------------------------------------------------------------------------------------ input

/// Seconds of "90", "60s", "5m" or "1h"; nullopt for anything else, or for none at all.
std::optional<double> parse_duration(std::string_view text) {
  double unit = 1;
  if (text.ends_with('h')) unit = 3600;
  if (text.ends_with('m')) unit = 60;
  if (text.ends_with('s') || text.ends_with('m') || text.ends_with('h')) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0) || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value * unit;
}

bool asks(const AdviseFlags& flags, const char* stage) {
  return std::ranges::find(flags.first_stages, stage) != flags.first_stages.end();
}

/// What cannot be told from one option alone.
Status check_flags(const AdviseFlags& flags) {
  const auto refuse = [](std::string_view message) { return fail(ErrorCode::kInvalidArgument, "{}", message); };
  if (flags.files.empty()) return refuse("which documents are to be searched? give CORPUS files, or --scenarios");
  if (flags.queries_file.empty() != flags.qrels.empty()) return refuse("--queries and --qrels go together");
  if (!flags.clicks.empty() && !flags.qrels.empty()) return refuse("give --clicks or --qrels, not both");
  if (flags.qrels.empty() && std::ranges::any_of(flags.first_stages, [](const auto& s) { return s != kBiStage; })) {
    return refuse("a run as --first-stage answers the queries of --queries and --qrels, so give both");
  }
  if (flags.goal.cost_per_1000_max && !flags.price_per_hour) return refuse("--max-cost needs --price-per-hour");
  if (flags.budget != kNone && !parse_duration(flags.budget)) {
    return refuse(fmt::format("--budget: expected a time such as 60s or 5m, or none, got '{}'", flags.budget));
  }
  return {};
}

Result<PageFiles> prepare_page(const AdviseFlags& flags) {
  std::vector<std::string> inputs = flags.files;
  inputs.insert(inputs.end(), {flags.queries_file, flags.qrels, flags.clicks, flags.cache});
  inputs.insert(inputs.end(), flags.first_stages.begin(), flags.first_stages.end());
  return PageFiles::prepare(flags.report, flags.svg, inputs);
}

Result<std::vector<Document>> read_corpus(const AdviseFlags& flags) {
  ASSIGN_OR_RETURN(CorpusReader reader, CorpusReader::open(flags.files, flags.corpus));
  ASSIGN_OR_RETURN(std::vector<Document> documents, read_documents(reader));
  note_report(reader.report());
  if (documents.empty()) return fail(ErrorCode::kCorruptData, "{}: holds no document", flags.files.front());
  return documents;
}

Result<TestSet> read_judged_test(const AdviseFlags& flags, std::vector<Document> documents) {
  ASSIGN_OR_RETURN(Qrels qrels, Qrels::read(flags.qrels));
  ASSIGN_OR_RETURN(std::vector<Query> queries, read_queries(flags.queries_file, flags.queries_text));
  return judged_test_set(std::move(documents), std::move(queries), std::move(qrels),
                         {.queries = flags.queries_file, .qrels = flags.qrels});
}

Result<TestSet> open_test(const AdviseFlags& flags) {
  ASSIGN_OR_RETURN(std::vector<Document> documents, read_corpus(flags));
  if (!flags.qrels.empty()) return read_judged_test(flags, std::move(documents));
  if (!flags.clicks.empty()) return read_click_log(flags.clicks, std::move(documents), flags.click_log);
  return make_test_set(std::move(documents),
                       {.source = flags.queries_from, .queries_max = flags.sample, .seed = flags.seed});
}

const char* kind_of_test(const AdviseFlags& flags) {
  if (!flags.qrels.empty()) return kJudged;
  return flags.clicks.empty() ? kSelfMade : kClicks;
}

// ----------------------------------------------------------------------------------------------------------- stages

/// The encoders and runs of a sweep. The stages point into the others.
struct OpenStages {
  std::vector<std::unique_ptr<BiEncoder>> bi_encoders;
  std::vector<std::unique_ptr<Run>> runs;
  std::optional<CrossEncoder> cross_encoder;
  std::vector<SweepStage> first_stages;
  std::vector<ModelName> models;  ///< [first stages] the bi-encoder's, or the run's file.
};

Status open_bi_stages(const AdviseFlags& flags, OpenStages& open) {
  std::vector<std::string> texts;
  for (const ModelName& model : flags.models) texts.push_back(model.text());
  const std::vector<std::string> names = texts.size() == 1 ? std::vector<std::string>{kBiStage} : last_parts_of(texts);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const ModelName& model = flags.models[i];
    ASSIGN_OR_RETURN(BiEncoder encoder, open_bi_encoder(model, flags.compute));
    open.bi_encoders.push_back(std::make_unique<BiEncoder>(std::move(encoder)));
    open.first_stages.push_back({.name = names[i], .bi_encoder = open.bi_encoders.back().get()});
    open.models.push_back(model);
  }
  return {};
}

/// Cheap files first, so that a mistake shows before any model is read.
Result<OpenStages> open_stages(const AdviseFlags& flags) {
  OpenStages open;
  const std::vector<std::string> names = stems_of(flags.first_stages);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& stage = flags.first_stages[i];
    if (stage == kBiStage) continue;
    ASSIGN_OR_RETURN(Run run, Run::read(stage));
    open.runs.push_back(std::make_unique<Run>(std::move(run)));
    open.first_stages.push_back({.name = names[i], .run = open.runs.back().get()});
    open.models.push_back(stage);
  }
  if (asks(flags, kBiStage)) RETURN_IF_ERROR(open_bi_stages(flags, open));
  if (flags.cross.model.text() == kNone) return open;
  ASSIGN_OR_RETURN(open.cross_encoder, open_cross_encoder(flags.cross, flags.compute));
  return open;
}

// ---------------------------------------------------------------------------------------------------------- measure

Result<std::vector<RankingMetric>> metrics_of(const AdviseFlags& flags, Goal& goal) {
  ASSIGN_OR_RETURN(goal.metric, parse_ranking_metric(flags.metric));
  goal.recall = {RankingMeasure::kRecall, flags.results};
  std::vector<RankingMetric> metrics = SweepOptions{}.metrics;
  for (const RankingMetric& metric : {goal.metric, goal.recall}) {
    if (std::ranges::find(metrics, metric) == metrics.end()) metrics.push_back(metric);
  }
  return metrics;
}

Result<SweepResult> measure(const AdviseFlags& flags, const TestSet& test, const OpenStages& stages,
                            const std::vector<RankingMetric>& metrics) {
  ASSIGN_OR_RETURN(EncoderCache cache,
                   flags.cache.empty() ? EncoderCache::in_memory() : EncoderCache::open(flags.cache));
  SweepOptions options;
  options.metrics = metrics;
  options.depths = flags.depths;
  options.alphas = flags.alphas;
  options.budget_s = parse_duration(flags.budget);
  options.cross_only = flags.cross_only.value_or(options.budget_s.has_value());
  options.queries_max = flags.sample;
  options.results = flags.results;
  options.seed = options.bootstrap.seed = flags.seed;
  ProgressBar bar;
  return sweep({.documents = test.documents,
                .queries = test.queries,
                .qrels = &test.qrels,
                .first_stages = stages.first_stages,
                .cross_encoder = stages.cross_encoder ? &*stages.cross_encoder : nullptr},
               options, cache, bar.call());
}

// ----------------------------------------------------------------------------------------------------------- report

/// As a shell reads it back.
std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char character : text) quoted += character == '\'' ? "'\\''" : std::string(1, character);
  return quoted + "'";
}

/// The options of a second stage that are not the defaults; the model's is called otherwise where there is no other.
std::string cross_options(const AdviseFlags& flags, std::string_view model_option = "--cross-model") {
  std::string options;
  if (!flags.cross.model.is_default()) {
    options += fmt::format(" {} {}", model_option, shell_word(flags.cross.model.text()));
  }
  if (flags.cross.activation != Activation::kAuto)
    options += fmt::format(" --activation {}", name_of(flags.cross.activation));
  if (flags.cross.max_length) options += fmt::format(" --max-length {}", *flags.cross.max_length);
  return options;
}

std::string precision_option(const AdviseFlags& flags) {
  const Precision precision = flags.compute.compute.precision;
  return precision == Precision::kAuto ? "" : fmt::format(" --precision {}", name_of(precision));
}

/// The options that say how the corpus is read, where they are given.
std::string corpus_options(const TextOptions& text) {
  std::string options;
  if (text.format != TextFormat::kAuto) options += fmt::format(" --format {}", name_of(text.format));
  for (const auto& [field, column] : text.columns) options += " --columns " + shell_word(field + "=" + column);
  if (text.separator) options += " --separator " + std::string(name_of_separator(*text.separator));
  if (text.no_header) options += " --no-header";
  return options;
}

std::vector<std::string> commands_for_run(const AdviseFlags& flags, const PipelineSetting& setting,
                                          const std::string& run) {
  // A comment ends with its line, wherever the file's name has one.
  std::string name = run;
  std::ranges::replace_if(
      name, [](char c) { return static_cast<unsigned char>(c) < ' '; }, '?');
  std::vector<std::string> commands{
      fmt::format("# {} comes from another system: take its candidates from there.", name)};
  if (setting.mode != SearchMode::kHybrid) return commands;
  std::string alpha;
  if (setting.alpha != 1) alpha = fmt::format(" --alpha {:g}", setting.alpha);
  commands.push_back(fmt::format("tandem rerank --query QUERY --input CANDIDATES.jsonl{}{}{} --top-k {}",
                                 cross_options(flags, "--model"), alpha, precision_option(flags),
                                 std::min(flags.results, setting.candidates)));
  return commands;
}

/// What runs a setting: the collection made, and one search.
std::vector<std::string> commands_for(const AdviseFlags& flags, const OpenStages& stages,
                                      const PipelineSetting& setting) {
  const auto stage = std::ranges::find(stages.first_stages, setting.first_stage, &SweepStage::name);
  const auto place = static_cast<std::size_t>(stage - stages.first_stages.begin());
  if (stage != stages.first_stages.end() && stage->run != nullptr) {
    return commands_for_run(flags, setting, stages.models[place].text());
  }
  std::string index = "tandem index advised.tandem";
  for (const std::string& file : flags.files) index += " " + shell_word(file);
  index += corpus_options(flags.corpus.text);
  const ModelName& model = stage == stages.first_stages.end() ? flags.models.front() : stages.models[place];
  if (!model.is_default()) index += " --model " + shell_word(model.text());
  std::string search = "tandem search advised.tandem QUERY";
  // A collection remembers its model by name, which finds it only where that is an id.
  const bool uses_model = setting.mode != SearchMode::kCross;
  if (uses_model && !model.is_default() && std::filesystem::is_directory(model.text())) {
    search += " --model " + shell_word(model.text());
  }
  std::size_t results = flags.results;
  switch (setting.mode) {
    case SearchMode::kBi:
      search += " --mode bi";
      break;
    case SearchMode::kCross:
      search += " --mode cross" + cross_options(flags);
      break;
    case SearchMode::kHybrid:
      results = std::min(results, setting.candidates);
      search += fmt::format(" --mode hybrid --initial-top-k {} --alpha {:g}{}", setting.candidates, setting.alpha,
                            cross_options(flags));
      break;
  }
  return {index + precision_option(flags),
          search + fmt::format(" --final-top-k {}{}", results, precision_option(flags))};
}

Status run_advise(const AdviseFlags& flags) {
  if (flags.scenarios) return print(flags.json ? scenarios_json() : scenarios_text());
  RETURN_IF_ERROR(check_flags(flags));
  ASSIGN_OR_RETURN(const PageFiles page_files, prepare_page(flags));
  AdviceReport report;
  report.files = flags.files;
  report.test = kind_of_test(flags);
  report.goal = flags.goal;
  report.has_price = flags.price_per_hour.has_value();
  report.goal.price_per_hour = flags.price_per_hour.value_or(1);
  ASSIGN_OR_RETURN(const std::vector<RankingMetric> metrics, metrics_of(flags, report.goal));
  ASSIGN_OR_RETURN(const TestSet test, open_test(flags));
  ASSIGN_OR_RETURN(const OpenStages stages, open_stages(flags));
  const Stopwatch stopwatch;
  ASSIGN_OR_RETURN(report.sweep, measure(flags, test, stages, metrics));
  report.seconds = stopwatch.seconds();
  ComparisonOptions comparison;
  comparison.seed = comparison.bootstrap.seed = flags.seed;
  ASSIGN_OR_RETURN(report.advice, advise(report.sweep, report.goal, comparison));
  report.trust = test.trust;
  report.remarks = test.remarks;
  for (const ModelName& model : stages.models) report.models.push_back(model.text());
  if (stages.cross_encoder) {
    report.cross_model = flags.cross.model.text();
    report.compute = stages.cross_encoder->compute();
  } else if (!stages.bi_encoders.empty()) {
    report.compute = stages.bi_encoders.front()->compute();
  }
  report.results = flags.results;
  report.confidence = comparison.bootstrap.confidence;
  report.seed = flags.seed;
  if (const std::optional<std::size_t> setting = report.advice.recommended) {
    report.commands = commands_for(flags, stages, report.sweep.settings[*setting].setting);
  }
  if (page_files.wanted()) RETURN_IF_ERROR(page_files.write(to_page(report)));
  return print(flags.json ? to_json(report) : to_text(report));
}

// ---------------------------------------------------------------------------------------------------------- command

CLI::Option* add_positive(CLI::App& command, const char* name, std::optional<double>& target, const char* type,
                          const char* description) {
  const auto check = [](const std::string& text) {
    const double value = std::strtod(text.c_str(), nullptr);
    return std::isfinite(value) && value > 0 ? std::string() : "expected a number above 0, got '" + text + "'";
  };
  return command.add_option(name, target, description)->check(CLI::Validator(check, ""))->type_name(type);
}

/// The names of all options but these.
std::vector<std::string> other_options(const CLI::App& command, const std::vector<std::string>& these) {
  std::vector<std::string> others;
  for (const CLI::Option* option : command.get_options()) {
    if (std::ranges::find(these, option->get_name()) == these.end()) others.push_back(option->get_name());
  }
  return others;
}

std::vector<IdleOptions> idle_options(const CLI::App& command, const AdviseFlags& flags) {
  return {
      {other_options(command, {"--help", "--scenarios", "--json"}), "with --scenarios",
       [&flags] { return flags.scenarios; }},
      {{"--min-clicks"}, "without --clicks", [&flags] { return flags.clicks.empty(); }},
      {{"--queries-from"}, "with --qrels", [&flags] { return !flags.qrels.empty(); }},
      {{"--queries-from"}, "with --clicks", [&flags] { return !flags.clicks.empty(); }},
      {{"--model", "--fetch-named"}, "without --first-stage bi", [&flags] { return !asks(flags, kBiStage); }},
      {{"--alphas", "--cross-only", "--no-cross-only", "--activation", "--max-length"},
       "with --cross-model none",
       [&flags] { return flags.cross.model.text() == kNone; }},
  };
}

void add_test_options(CLI::App& command, AdviseFlags& flags) {
  command.add_option("--queries", flags.queries_file, "Queries, as for tandem search; with --qrels")->type_name("F");
  add_query_text_options(command, flags.queries_text);
  add_qrels_option(command, flags.qrels);
  command
      .add_option("--clicks", flags.clicks,
                  "Instead: logged queries with the documents that were opened, as JSONL or TSV")
      ->type_name("F");
  add_count(command, "--min-clicks", flags.click_log.clicks_min, 1, 1 << 30,
            "Fewer clicks do not make a document relevant to a query")
      ->capture_default_str();
  add_choice(
      command, "--queries-from", flags.queries_from,
      Choices<QuerySource>{
          {"auto", QuerySource::kAuto}, {"titles", QuerySource::kTitles}, {"sentences", QuerySource::kSentences}},
      "Of what a test is made where there is none; auto: what gives more queries");
  add_count(command, "--sample", flags.sample, 1, 1 << 30, "Measure at most N queries, drawn with --seed")
      ->capture_default_str();
}

void add_setting_options(CLI::App& command, AdviseFlags& flags) {
  command
      .add_option("--first-stage", flags.first_stages,
                  "Where candidates come from: bi, each --model, or a TREC run; give it again for several")
      ->allow_extra_args(false)
      ->type_name("bi|F")
      ->capture_default_str();
  command.add_option("--model", flags.models, "A bi-encoder's folder or Hugging Face id; give it again for several")
      ->allow_extra_args(false)
      ->type_name("M")
      ->capture_default_str();
  command.add_option("--cross-model", flags.cross.model, "The cross-encoder's folder or Hugging Face id, or none")
      ->type_name("M|none")
      ->capture_default_str();
  add_depths_option(command, flags.depths);
  add_alphas_option(command, flags.alphas);
  add_cross_only_options(command, flags.cross_only, "with --budget none");
  add_activation_option(command, flags.cross.activation);
  add_compute_options(command, flags.compute);
  add_fetch_named_option(command, flags.compute.network);
  add_cross_max_length_option(command, flags.cross.max_length);
}

void add_goal_options(CLI::App& command, AdviseFlags& flags) {
  command.add_option("--metric", flags.metric, "What quality is: ndcg@10, map, mrr@10, …; see tandem help eval")
      ->type_name("METRIC")
      ->capture_default_str();
  add_positive(command, "--p95-ms", flags.goal.p95_ms_max, "MS", "Goal: 95 % of the queries answered in MS");
  add_positive(command, "--max-cost", flags.goal.cost_per_1000_max, "C", "Goal: 1,000 queries cost at most C");
  add_positive(command, "--min-recall", flags.goal.recall_min, "R",
               "Goal: share of the relevant documents among the results, 0 to 1")
      ->check(CLI::Range(0.0, 1.0).description(""));
  add_positive(command, "--price-per-hour", flags.price_per_hour, "P",
               "What an hour of this machine costs; without it, costs are hours");
  add_count(command, "--results", flags.results, 1, kCountMax, "How many results people see")->capture_default_str();
}

}  // namespace

void add_advise(CLI::App& app, Action& action) {
  CLI::App* command = add_command<AdviseFlags>(
      app, action, "advise", "Measure the pipeline's settings on a corpus and recommend one",
      [](CLI::App& command, AdviseFlags& flags) {
        command.add_option("CORPUS", flags.files, "Files and folders of documents, as for tandem index");
        add_text_options(command, flags.corpus.text);
        add_test_options(command, flags);
        add_setting_options(command, flags);
        add_goal_options(command, flags);
        command
            .add_option("--budget", flags.budget,
                        "Time for measuring, such as 60s, 5m or none; what was measured until then is compared")
            ->type_name("T")
            ->capture_default_str();
        command.add_option("--seed", flags.seed, "Of the test, the sample and the intervals")
            ->type_name("N")
            ->capture_default_str();
        command.add_option("--cache", flags.cache, "A file that keeps what was computed, for the next time")
            ->type_name("F");
        command.add_option("--report", flags.report, "Write a page with charts here, one HTML file")->type_name("F");
        command.add_option("--svg", flags.svg, "Write each chart as SVG into this folder")->type_name("FOLDER");
        command.add_flag("--scenarios", flags.scenarios,
                         "Print which encoder suits what as a rule, and the command that measures it");
        add_json_option(command, flags.json);
        refuse_idle_options(command, idle_options(command, flags));
      },
      run_advise);
  command->footer(
      "Without --qrels and --clicks the test is made from the corpus itself; see docs/advise.md for how far that can "
      "be\n"
      "trusted.\n"
      "Examples:\n"
      "  tandem advise examples/data/corpus.jsonl --depths 10,5 --p95-ms 50\n"
      "  tandem advise examples/data/corpus.jsonl examples/data/faq.jsonl --queries examples/data/queries.jsonl "
      "--qrels examples/data/qrels.tsv --budget 60s --report advice.html\n"
      "  tandem advise examples/data/corpus.jsonl examples/data/faq.jsonl --clicks examples/data/clicks.tsv\n"
      "  tandem advise --scenarios");
}

}  // namespace tandem::cli
