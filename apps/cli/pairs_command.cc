// tandem score, tandem rerank: what a cross-encoder makes of queries and documents.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "commands.h"
#include "descriptions.h"
#include "input.h"
#include "options.h"
#include "tandem/cross_encoder.h"
#include "terminal.h"
#include "wire/compute_json.h"
#include "wire/json_parts.h"
#include "wire/search_json.h"

namespace tandem::cli {

namespace {

// ---------------------------------------------------------------------------------------------------------- score

struct ScoreFlags {
  ModelName model = kDefaultCrossEncoder;
  std::string input = "-";
  TextOptions text;
  ComputeFlags compute;
  Activation activation = Activation::kAuto;
  bool json = false;
};

/// One score as a number, several (one per label) as an array.
std::string scores_json(std::span<const float> scores) {
  JsonWriter json;
  if (scores.size() == 1) return json.value(scores[0]).take();
  return write_json(json, scores).take();
}

Status run_score(const ScoreFlags& flags) {
  ASSIGN_OR_RETURN(auto reader, RecordReader<Pair>::open(flags.input, pairs(), flags.text));
  ASSIGN_OR_RETURN(const CrossEncoder encoder, open_cross_encoder(flags.model, flags.compute, flags.activation));
  const Stopwatch stopwatch;
  Truncation truncation;
  const std::size_t batch_size = batch_rows(encoder.labels().size(), kBatchRecords);
  constexpr std::string_view kBeforeScores = "{\"scores\":[";
  {
    ProgressBar bar;
    for (;;) {
      bar.clear();
      ASSIGN_OR_RETURN(const std::vector<Pair> pairs, reader.next_batch(batch_size));
      if (pairs.empty()) break;
      std::vector<TextPair> views;
      views.reserve(pairs.size());
      for (const Pair& pair : pairs) views.push_back({.query = pair.query, .document = pair.document});
      ASSIGN_OR_RETURN(const PairScores result, encoder.predict(views, bar.call()));
      for (std::size_t row = 0; row < result.scores.rows(); ++row) {
        if (flags.json) {
          const bool is_first = truncation.texts == 0 && row == 0;
          RETURN_IF_ERROR(
              print(fmt::format("{}{}", is_first ? kBeforeScores : ",", scores_json(result.scores.row(row)))));
        } else {
          RETURN_IF_ERROR(print(fmt::format("{}\n", fmt::join(result.scores.row(row), "\t"))));
        }
      }
      truncation += result.truncation;
    }
  }
  if (!flags.json) {
    note(fmt::format("{} scored in {:.2f} s ({}); {}", count_of(truncation.texts, "pair"), stopwatch.seconds(),
                     describe(encoder.compute()), describe(truncation)));
    return {};
  }
  JsonWriter json;
  json.begin_object().key("model").value(encoder.model()).key("seconds").value(stopwatch.seconds());
  if (encoder.labels().size() > 1) {
    write_json(json.key("labels"), encoder.labels());
  }
  json.key("compute");
  write_json(json, encoder.compute()).key("truncation");
  const std::string summary = write_json(json, truncation).end_object().take();
  return print(fmt::format("{}],{}\n", truncation.texts == 0 ? kBeforeScores : "", summary.substr(1)));
}

// --------------------------------------------------------------------------------------------------------- rerank

struct RerankFlags {
  ModelName model = kDefaultCrossEncoder;
  std::string query;
  std::string input = "-";
  TextOptions text;
  std::optional<std::size_t> top_k;
  std::optional<float> alpha;
  ComputeFlags compute;
  Activation activation = Activation::kAuto;
  bool json = false;
};

struct Candidate {
  std::string text;
  float initial_score = 0;
};

Records<Candidate> rerank_candidates() {
  const auto read = [](const TextReader& record) -> Result<Candidate> {
    ASSIGN_OR_RETURN(std::string text, texts().read(record));
    return Candidate{.text = std::move(text), .initial_score = 0};
  };
  return {.kind = texts().kind, .read = read};
}

Records<Candidate> scored_candidates() {
  const auto read = [](const TextReader& record) -> Result<Candidate> {
    if (!record.has_fields()) {
      return fail(ErrorCode::kInvalidArgument, "--alpha needs JSON lines with \"text\" and \"score\", or a table");
    }
    ASSIGN_OR_RETURN(std::string text, texts().read(record));
    ASSIGN_OR_RETURN(const double score, record.get_double("score"));
    return Candidate{.text = std::move(text), .initial_score = static_cast<float>(score)};
  };
  RecordKind kind = texts().kind;
  kind.required.emplace_back("score");
  kind.without_header = {{"score", "text"}};
  return {.kind = std::move(kind), .read = read};
}

std::string to_json(const RerankFlags& flags, const CrossEncoder& encoder, const Ranking& ranking,
                    const RankedTexts& texts) {
  JsonWriter json;
  json.begin_object().key("query").value(flags.query);
  write_json(json.key("results"), ranking, texts).key("model").value(encoder.model());
  write_json(json.key("compute"), encoder.compute());
  return write_json(json.key("truncation"), ranking.truncation).end_object().take() + "\n";
}

Status run_rerank(const RerankFlags& flags) {
  RETURN_IF_ERROR(check_query(flags.query));
  ASSIGN_OR_RETURN(const std::vector<Candidate> candidates,
                   read_all(flags.input, flags.alpha ? scored_candidates() : rerank_candidates(), flags.text));
  ASSIGN_OR_RETURN(const CrossEncoder encoder, open_cross_encoder(flags.model, flags.compute, flags.activation));
  const Stopwatch stopwatch;
  std::vector<std::string_view> documents;
  std::vector<float> initial_scores;
  for (const Candidate& candidate : candidates) {
    documents.push_back(candidate.text);
    if (flags.alpha) initial_scores.push_back(candidate.initial_score);
  }
  RankOptions options{.top_k = flags.top_k, .initial_scores = initial_scores};
  if (flags.alpha) options.alpha = *flags.alpha;
  ASSIGN_OR_RETURN(const Ranking ranking, encoder.rank(flags.query, documents, options));
  if (flags.json) {
    return print(to_json(flags, encoder, ranking, {.documents = documents, .initial_scores = initial_scores}));
  }
  std::size_t rank = 0;
  for (const RankedDocument& ranked : ranking.documents) {
    RETURN_IF_ERROR(print(fmt::format("{}\t{:.4f}\t{}\n", ++rank, ranked.final_score,
                                      one_line(documents[ranked.index], documents[ranked.index].size()))));
  }
  note(fmt::format("{} ranked in {:.2f} s ({}); {}", count_of(documents.size(), "document"), stopwatch.seconds(),
                   describe(encoder.compute()), describe(ranking.truncation)));
  return {};
}

}  // namespace

void add_score(CLI::App& app, Action& action) {
  CLI::App* command = add_command<ScoreFlags>(
      app, action, "score", "Score pairs of a query and a document, one score per line",
      [](CLI::App& command, ScoreFlags& flags) {
        add_model_option(command, flags.model);
        add_input_options(command, flags.input, flags.text);
        add_activation_option(command, flags.activation);
        add_compute_options(command, flags.compute);
        add_max_length_option(command, flags.compute.max_length);
        add_json_option(command, flags.json);
      },
      run_score);
  command->footer(
      "Input: query TAB document per line, JSONL with {\"query\": …, \"document\": …}, or a table with these columns.\n"
      "Example:\n"
      "  printf 'how tall is it?\\tThe tower is 330 metres high.\\n' | tandem score");
}

void add_rerank(CLI::App& app, Action& action) {
  CLI::App* command = add_command<RerankFlags>(
      app, action, "rerank", "Rank documents for one query: rank, score and text, best first",
      [](CLI::App& command, RerankFlags& flags) {
        add_model_option(command, flags.model);
        command.add_option("--query", flags.query, "What the documents are ranked for")->required()->type_name("Q");
        add_input_options(command, flags.input, flags.text);
        add_count(command, "--top-k", flags.top_k, 1, kCountMax, "Print the best N only");
        command
            .add_option("--alpha", flags.alpha,
                        "Weight of the cross-encoder against each JSON line's own \"score\": "
                        "alpha * cross + (1 - alpha) * minmax(score)")
            ->check(CLI::Range(0.0, 1.0).description(""))
            ->type_name("A");
        add_activation_option(command, flags.activation);
        add_compute_options(command, flags.compute);
        add_max_length_option(command, flags.compute.max_length);
        add_json_option(command, flags.json);
      },
      run_rerank);
  command->footer(
      "Example:\n"
      "  tandem rerank --query 'Can I get my money back?' --input examples/data/faq.jsonl --top-k 3");
}

}  // namespace tandem::cli
