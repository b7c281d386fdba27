// tandem bench compare: what a bi-encoder saves, and a cross-encoder costs, on your own texts.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "collection_search.h"
#include "commands.h"
#include "descriptions.h"
#include "encoder_costs_output.h"
#include "input.h"
#include "options.h"
#include "page_files.h"
#include "report/page.h"
#include "sample_data.h"
#include "tandem/corpus.h"
#include "tandem/encoder_costs.h"
#include "terminal.h"

namespace tandem::cli {

namespace fs = std::filesystem;

namespace {

// Without --sizes: more documents than these would take many minutes to encode.
constexpr std::size_t kDefaultDocumentsMax = 10'000;
constexpr std::size_t kDefaultScanMax = 100'000;
constexpr std::uint64_t kDefaultCopiedBytesMax = std::uint64_t{1} << 30;
constexpr std::size_t kSizesMax = 20;
constexpr double kPriceMax = 1e9;

struct CompareFlags {
  std::string input;
  TextOptions text;
  std::string queries;
  TextOptions queries_text;
  ModelName model = kDefaultBiEncoder;
  ModelName cross_model = kDefaultCrossEncoder;
  ComputeFlags compute;
  EncoderCostOptions compare;
  std::optional<double> price_per_hour;
  bool json = false;
  std::string report;
  std::string svg;
};

/// The first `documents_max` documents of a file, or of the sample data.
Result<std::vector<Document>> read_corpus(const CompareFlags& flags, std::size_t documents_max) {
  std::vector<std::string> paths{flags.input};
  CorpusOptions options{.text = flags.text};
  if (flags.input.empty()) {
    ASSIGN_OR_RETURN(const fs::path corpus, sample_file("corpus.jsonl"));
    ASSIGN_OR_RETURN(const fs::path faq, sample_file("faq.jsonl"));
    paths = {corpus.string(), faq.string()};
    options = {};
  }
  ASSIGN_OR_RETURN(CorpusReader reader, CorpusReader::open(paths, options));
  ASSIGN_OR_RETURN(std::vector<Document> documents, read_documents(reader, documents_max));
  note_report(reader.report());
  if (documents.empty()) return fail(ErrorCode::kCorruptData, "{}: holds no document to measure with", flags.input);
  return documents;
}

Result<std::vector<std::string>> read_query_texts(const std::string& path, const TextOptions& options) {
  if (path.empty()) return sample_texts("queries.jsonl");
  ASSIGN_OR_RETURN(const std::vector<Query> queries, read_queries(path, options));
  std::vector<std::string> texts;
  for (const Query& query : queries) texts.push_back(query.text);
  if (texts.empty()) return fail(ErrorCode::kCorruptData, "{}: holds no query to measure with", path);
  return texts;
}

/// Powers of ten from a hundred on, and the size of the corpus. Copies of long documents make fewer of them.
std::vector<std::size_t> default_sizes(std::span<const Document> documents) {
  std::uint64_t bytes = 0;
  for (const Document& document : documents) bytes += document.text.size() + document.title.size();
  std::vector<std::size_t> sizes{documents.size()};
  for (std::size_t size = 100; size <= kDefaultScanMax; size *= 10) {
    if (size <= documents.size() || bytes * size / documents.size() <= kDefaultCopiedBytesMax) sizes.push_back(size);
  }
  return sizes;
}

Status run_bench_compare(const CompareFlags& flags) {
  // CLI11's ranges let NaN pass.
  if (flags.price_per_hour && !(*flags.price_per_hour > 0 && *flags.price_per_hour <= kPriceMax)) {
    return fail(ErrorCode::kInvalidArgument, "--price-per-hour: expected a number above 0 and up to {}, got {}",
                kPriceMax, *flags.price_per_hour);
  }
  ASSIGN_OR_RETURN(const PageFiles page_files,
                   PageFiles::prepare(flags.report, flags.svg, std::vector{flags.input, flags.queries}));
  CompareSetting setting{.model = {},
                         .cross_model = {},
                         .compute = {},
                         .cross_compute = {},
                         .machine = Machine::here(),
                         .options = flags.compare,
                         .price_per_hour = flags.price_per_hour};
  std::vector<std::size_t>& sizes = setting.options.sizes;
  const std::size_t documents_max = sizes.empty() ? kDefaultDocumentsMax : std::ranges::max(sizes);
  ASSIGN_OR_RETURN(const std::vector<Document> documents, read_corpus(flags, documents_max));
  ASSIGN_OR_RETURN(const std::vector<std::string> queries, read_query_texts(flags.queries, flags.queries_text));
  if (sizes.empty()) sizes = default_sizes(documents);
  std::ranges::sort(sizes);
  sizes.erase(std::ranges::unique(sizes).begin(), sizes.end());
  defer_interrupts();

  ASSIGN_OR_RETURN(const BiEncoder bi_encoder, open_bi_encoder(flags.model, flags.compute));
  ASSIGN_OR_RETURN(const CrossEncoder cross_encoder, open_cross_encoder(flags.cross_model, flags.compute));
  if (cross_encoder.labels().size() != 1) {
    return fail(ErrorCode::kInvalidArgument, "--cross-model {}: expected a model with one label, got one with {}",
                flags.cross_model.text(), cross_encoder.labels().size());
  }
  ASSIGN_OR_RETURN(const BiEncoderIdentity identity, bi_encoder.identity());
  setting.model = identity.model;
  setting.cross_model = cross_encoder.model();
  setting.compute = bi_encoder.compute();
  setting.cross_compute = cross_encoder.compute();
  const EncoderCostInput input{
      .bi_encoder = &bi_encoder, .cross_encoder = &cross_encoder, .documents = documents, .queries = queries};
  EncoderCosts costs;
  {
    ProgressBar bar;
    ASSIGN_OR_RETURN(costs, measure_encoder_costs(input, setting.options, bar.call()));
  }

  RETURN_IF_ERROR(print(flags.json ? to_json(costs, setting) : to_text(costs, setting)));
  if (!flags.json) note(describe(costs.truncation));
  return page_files.wanted() ? page_files.write(to_page(costs, setting)) : Status();
}

void add_compare_options(CLI::App& command, CompareFlags& flags) {
  command.add_option("--input", flags.input, "Documents, as `tandem index` reads them; default: sample data")
      ->type_name("F");
  add_text_options(command, flags.text);
  command.add_option("--queries", flags.queries, "Queries, as for tandem search; default: sample data")->type_name("F");
  add_query_text_options(command, flags.queries_text);
  add_model_option(command, flags.model);
  add_cross_model_option(command, flags.cross_model);
  command
      .add_option(
          "--sizes", flags.compare.sizes,
          "Corpus sizes, with commas between; default: the corpus's, 10,000 at most, and the powers of ten from "
          "100 to 100,000")
      ->delimiter(',')
      ->expected(1, kSizesMax)
      ->check(CLI::Range(1, 10'000'000).description(""))
      ->type_name("N,N");
  add_count(command, "--top-k", flags.compare.top_k, 1, 10'000, "Results per query")->capture_default_str();
  add_count(command, "--initial-top-k", flags.compare.candidates, 1, 10'000, "Candidates that two stages rerank")
      ->capture_default_str();
  add_count(command, "--repeat", flags.compare.repeat, 1, 1000, "How often the bi-encoder searches for each query")
      ->capture_default_str();
  add_count(command, "--cross-pairs-max", flags.compare.cross_pairs_max, 1, 100'000'000,
            "Pairs that the cross-encoder scores at most for each size; beyond, its time is extrapolated")
      ->capture_default_str();
  command
      .add_option("--price-per-hour", flags.price_per_hour,
                  "What this machine costs per hour, in any currency; adds costs")
      ->type_name("P");
  add_compute_options(command, flags.compute);
  add_fetch_named_option(command, flags.compute.network);
  add_json_option(command, flags.json);
  command.add_option("--report", flags.report, "Also write a page with tables and charts: one HTML file")
      ->type_name("F.html");
  command.add_option("--svg", flags.svg, "Also write the charts, each as an SVG file, into this folder")
      ->type_name("FOLDER");
}

}  // namespace

void add_bench_compare(CLI::App& bench, Action& action) {
  CLI::App* command = add_command<CompareFlags>(bench, action, "compare",
                                                "A bi-encoder against a cross-encoder, and both in two stages",
                                                add_compare_options, run_bench_compare);
  command->footer(
      "Each document is encoded once. Sizes above the corpus's are filled up with copies: only the bi-encoder's "
      "searches\n"
      "are measured there. What is extrapolated is marked.\n"
      "Examples:\n"
      "  tandem bench compare --cross-pairs-max 100 --sizes 10,25,10000\n"
      "  tandem bench compare --input examples/data/faq.jsonl --price-per-hour 0.4 --report compare.html --svg charts");
}

}  // namespace tandem::cli
