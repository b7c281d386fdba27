// tandem demo: what each stage is good at, shown on the sample data.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/scratch_folder.h"
#include "commands.h"
#include "descriptions.h"
#include "input.h"
#include "options.h"
#include "pair_evaluation.h"
#include "sample_data.h"
#include "search_output.h"
#include "tandem/collection.h"
#include "tandem/retriever.h"
#include "terminal.h"

namespace tandem::cli {

namespace {

struct DemoFlags {
  ModelName model = kDefaultBiEncoder;
  ModelName cross_model = kDefaultCrossEncoder;
  ComputeFlags compute;
};

/// Both stages, opened.
struct Stages {
  BiEncoder bi_encoder;
  CrossEncoder cross_encoder;
};

Result<Stages> open_stages(const DemoFlags& flags) {
  ASSIGN_OR_RETURN(BiEncoder bi_encoder, open_bi_encoder(flags.model, flags.compute));
  ASSIGN_OR_RETURN(CrossEncoder cross_encoder, open_cross_encoder(flags.cross_model, flags.compute));
  return Stages{.bi_encoder = std::move(bi_encoder), .cross_encoder = std::move(cross_encoder)};
}

/// A collection in a folder of its own that goes away with it.
class TemporaryCollection {
 public:
  static Result<TemporaryCollection> create(std::vector<Document> documents, const BiEncoder& encoder) {
    ASSIGN_OR_RETURN(ScratchFolder folder, ScratchFolder::create("tandem-demo"));
    TemporaryCollection made(std::move(folder));
    ASSIGN_OR_RETURN(CollectionWriter writer, CollectionWriter::create(made.folder_.path() / "collection", encoder));
    for (Document& document : documents) RETURN_IF_ERROR(writer.add(std::move(document)));
    RETURN_IF_ERROR(writer.commit());
    ASSIGN_OR_RETURN(made.collection_, Collection::open(made.folder_.path() / "collection"));
    return made;
  }

  const Collection& operator*() const { return *collection_; }

 private:
  explicit TemporaryCollection(ScratchFolder folder) : folder_(std::move(folder)) {}

  ScratchFolder folder_;  // Before the collection, which is closed first.
  std::optional<Collection> collection_;
};

Result<std::vector<Document>> sample_documents(const std::string& name) {
  ASSIGN_OR_RETURN(const std::filesystem::path path, sample_file(name));
  ASSIGN_OR_RETURN(CorpusReader reader, CorpusReader::open({path.string()}));
  return read_documents(reader);
}

Result<std::vector<Query>> sample_queries() {
  ASSIGN_OR_RETURN(const std::filesystem::path path, sample_file("queries.jsonl"));
  return read_all(path.string(), queries());
}

std::vector<std::string_view> views_of(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

// ---------------------------------------------------------------------------------------------------------- speed

Status run_speed(const DemoFlags& flags) {
  ASSIGN_OR_RETURN(const Stages stages, open_stages(flags));
  ASSIGN_OR_RETURN(std::vector<Document> documents, sample_documents("corpus.jsonl"));
  ASSIGN_OR_RETURN(const std::vector<Query> queries, sample_queries());
  std::vector<std::string> texts;
  for (const Document& document : documents) texts.push_back(document.full_text());
  const std::vector<std::string_view> views = views_of(texts);
  // The first call of each stage touches the weights for the first time: not what is to be compared.
  RETURN_IF_ERROR(stages.bi_encoder.encode(views));
  RETURN_IF_ERROR(stages.cross_encoder.rank(queries.front().text, views));

  const Stopwatch encoding;
  RETURN_IF_ERROR(stages.bi_encoder.encode(views, TextRole::kDocument));
  const double encode_ms = encoding.milliseconds();

  ASSIGN_OR_RETURN(const TemporaryCollection collection,
                   TemporaryCollection::create(std::move(documents), stages.bi_encoder));
  const Retriever retriever(*collection, stages.bi_encoder, stages.cross_encoder);
  double bi_ms = 0;
  double cross_ms = 0;
  for (const Query& query : queries) {
    ASSIGN_OR_RETURN(const SearchResponse bi, retriever.search(query.text, {.mode = SearchMode::kBi}));
    ASSIGN_OR_RETURN(const SearchResponse cross, retriever.search(query.text, {.mode = SearchMode::kCross}));
    bi_ms += bi.times.total_ms;
    cross_ms += cross.times.total_ms;
  }
  const auto n = static_cast<double>(queries.size());
  return print(
      fmt::format("{} and {}, {}\n\n"
                  "bi-encoder      documents, once   {:8.2f} ms   {:.2f} ms each\n"
                  "                a query           {:8.2f} ms   whatever the number of documents, nearly\n"
                  "cross-encoder   a query           {:8.2f} ms   every document is read again, {:.2f} ms each\n\n"
                  "The cross-encoder takes {:.0f} times as long for a query over {}.\n",
                  count_of(texts.size(), "document"), fmt::format("{} queries", queries.size()),
                  describe(stages.bi_encoder.compute()), encode_ms, encode_ms / static_cast<double>(texts.size()),
                  bi_ms / n, cross_ms / n, cross_ms / n / static_cast<double>(texts.size()), cross_ms / bi_ms,
                  count_of(texts.size(), "document")));
}

// ---------------------------------------------------------------------------------------------------- near misses

struct NearMiss {
  std::string query;
  std::vector<std::string> documents;
};

Result<NearMiss> read_near_miss(const TextReader& record) {
  if (!record.json()) return fail(ErrorCode::kCorruptData, "expected JSON");
  ASSIGN_OR_RETURN(const std::string_view query, record.json()->get_string("query"));
  ASSIGN_OR_RETURN(const std::vector<JsonValue> documents, record.json()->get_array("documents"));
  NearMiss near_miss{.query = std::string(query), .documents = {}};
  for (const JsonValue& document : documents) {
    ASSIGN_OR_RETURN(const std::string_view text, document.as_string("documents"));
    near_miss.documents.emplace_back(text);
  }
  return near_miss;
}

Status run_nuance(const DemoFlags& flags) {
  ASSIGN_OR_RETURN(const Stages stages, open_stages(flags));
  ASSIGN_OR_RETURN(const std::filesystem::path path, sample_file("near_misses.jsonl"));
  ASSIGN_OR_RETURN(const std::vector<NearMiss> near_misses,
                   read_all<NearMiss>(path.string(), {.kind = {.noun = "line"}, .read = read_near_miss}));
  for (const NearMiss& near_miss : near_misses) {
    const std::vector<std::string_view> documents = views_of(near_miss.documents);
    const std::string_view query = near_miss.query;
    ASSIGN_OR_RETURN(const Embeddings query_vector, stages.bi_encoder.encode(std::span(&query, 1), TextRole::kQuery));
    ASSIGN_OR_RETURN(const Embeddings vectors, stages.bi_encoder.encode(documents, TextRole::kDocument));
    ASSIGN_OR_RETURN(const Ranking ranking, stages.cross_encoder.rank(query, documents));
    std::vector<double> cosines;
    for (std::size_t i = 0; i < documents.size(); ++i) {
      cosines.push_back(cosine_similarity(query_vector.vectors.row(0), vectors.vectors.row(i)));
    }
    RETURN_IF_ERROR(print(fmt::format("{}\n   cross  cosine (rank)\n", query)));
    for (const RankedDocument& ranked : ranking.documents) {
      const double own = cosines[ranked.index];
      const auto rank = 1 + std::ranges::count_if(cosines, [own](double other) { return other > own; });
      RETURN_IF_ERROR(print(
          fmt::format("{:8.3f} {:7.3f} ({})   {}\n", ranked.cross_encoder_score, own, rank, documents[ranked.index])));
    }
    RETURN_IF_ERROR(print("\n"));
  }
  return {};
}

// ----------------------------------------------------------------------------------------------------- similarity

Result<std::vector<LabelledPair>> sample_pairs(const std::string& name) {
  ASSIGN_OR_RETURN(const std::filesystem::path path, sample_file(name));
  return read_labelled_pairs(path.string());
}

Status run_similarity(const DemoFlags& flags) {
  ASSIGN_OR_RETURN(const BiEncoder encoder, open_bi_encoder(flags.model, flags.compute));
  ASSIGN_OR_RETURN(const std::vector<LabelledPair> pairs, sample_pairs("sentence_pairs.jsonl"));
  RETURN_IF_ERROR(print("same meaning?  cosine\n"));
  for (const LabelledPair& pair : pairs) {
    const std::array<std::string_view, 2> sentences{pair.first, pair.second};
    ASSIGN_OR_RETURN(const Embeddings embeddings, encoder.encode(sentences));
    RETURN_IF_ERROR(print(fmt::format("{:<13} {:7.3f}   {} / {}\n", pair.label.value_or(false) ? "yes" : "no",
                                      cosine_similarity(embeddings.vectors.row(0), embeddings.vectors.row(1)),
                                      pair.first, pair.second)));
  }
  return {};
}

// ------------------------------------------------------------------------------------------------------- accuracy

Status run_accuracy(const DemoFlags& flags) {
  ASSIGN_OR_RETURN(const BiEncoder bi_encoder, open_bi_encoder(flags.model, flags.compute));
  // Scores between 0 and 1, so that 0.5 is the middle for both.
  ASSIGN_OR_RETURN(const CrossEncoder cross_encoder,
                   open_cross_encoder(flags.cross_model, flags.compute, Activation::kSigmoid));
  constexpr std::array<std::pair<const char*, const char*>, 2> kSamples{
      {{"question_pairs.jsonl", "does the sentence answer the question?"},
       {"sentence_pairs.jsonl", "do the sentences mean the same?"}}};
  for (const auto& [name, question] : kSamples) {
    ASSIGN_OR_RETURN(const std::vector<LabelledPair> pairs, sample_pairs(name));
    ASSIGN_OR_RETURN(const MeasuredEncoder bi, measure_on_pairs(bi_encoder, flags.model.text(), pairs));
    ASSIGN_OR_RETURN(const MeasuredEncoder cross, measure_on_pairs(cross_encoder, pairs));
    RETURN_IF_ERROR(print(fmt::format("{}: {}\n{}\n", name, question, to_table({bi, cross}))));
  }
  return {};
}

// ---------------------------------------------------------------------------------------------------------- legal

Status run_legal(const DemoFlags& flags) {
  constexpr std::string_view kQuestion = "Must the tenant pay for defects that were already there when he moved in?";
  ASSIGN_OR_RETURN(const std::vector<std::string> sentences, sample_texts("legal.jsonl"));
  ASSIGN_OR_RETURN(const CrossEncoder encoder, open_cross_encoder(flags.cross_model, flags.compute));
  ASSIGN_OR_RETURN(const Ranking ranking, encoder.rank(kQuestion, views_of(sentences)));
  RETURN_IF_ERROR(
      print(fmt::format("{}\nranked by {}, {}\n", kQuestion, encoder.model(), describe(encoder.compute()))));
  for (const RankedDocument& ranked : ranking.documents) {
    RETURN_IF_ERROR(print(fmt::format("{:9.3f}   {}\n", ranked.cross_encoder_score, sentences[ranked.index])));
  }
  return {};
}

// ------------------------------------------------------------------------------------------------------- products

/// Ten titles, each in five colours and ten bundles: a catalogue as shops have them, full of near duplicates.
std::vector<Document> make_catalogue(const std::vector<Document>& titles) {
  constexpr std::array<std::string_view, 5> kColours{"black", "white", "blue", "red", "green"};
  constexpr std::array<std::string_view, 10> kBundles{
      "single",     "pack of 2",        "pack of 3", "gift box",  "refurbished", "with carrying case",
      "2023 model", "with spare parts", "open box",  "trade pack"};
  std::vector<Document> catalogue;
  for (const Document& title : titles) {
    for (const std::string_view colour : kColours) {
      for (const std::string_view bundle : kBundles) {
        catalogue.push_back({.id = fmt::format("{}-{}", title.id, catalogue.size() + 1),
                             .text = fmt::format("{}, {}, {}", title.text, colour, bundle),
                             .metadata = {}});
      }
    }
  }
  return catalogue;
}

Status run_products(const DemoFlags& flags) {
  constexpr std::string_view kQuery = "quiet kettle that keeps water at a chosen temperature";
  ASSIGN_OR_RETURN(const std::vector<Document> titles, sample_documents("products.jsonl"));
  ASSIGN_OR_RETURN(const Stages stages, open_stages(flags));
  const Stopwatch indexing;
  ASSIGN_OR_RETURN(const TemporaryCollection catalogue,
                   TemporaryCollection::create(make_catalogue(titles), stages.bi_encoder));
  note(fmt::format("{} indexed in {:.2f} s", count_of((*catalogue).size(), "title"), indexing.seconds()));
  const Retriever retriever(*catalogue, stages.bi_encoder, stages.cross_encoder);
  ASSIGN_OR_RETURN(const SearchResponse response, retriever.search(kQuery, {.initial_top_k = 20, .final_top_k = 5}));
  return print(to_table(kQuery, response));
}

// ------------------------------------------------------------------------------------------------------------ faq

/// Ten questions, each for twenty departments and five countries: a help centre as large shops have them.
std::vector<Document> make_help_centre(const std::vector<Document>& entries) {
  constexpr std::array<std::string_view, 20> kDepartments{
      "tents",      "bicycles", "kettles", "shoes",   "cameras", "sofas",    "books", "toys",  "garden tools", "lamps",
      "mattresses", "skis",     "watches", "laptops", "carpets", "curtains", "drums", "paint", "strollers",    "tyres"};
  constexpr std::array<std::string_view, 5> kCountries{"Austria", "Chile", "Ghana", "Japan", "Norway"};
  std::vector<Document> help_centre;
  for (const Document& entry : entries) {
    for (const std::string_view department : kDepartments) {
      for (const std::string_view country : kCountries) {
        help_centre.push_back({.id = fmt::format("{}-{}", entry.id, help_centre.size() + 1),
                               .title = fmt::format("{} ({}, {})", entry.title, department, country),
                               .text = entry.text,
                               .metadata = {}});
      }
    }
  }
  return help_centre;
}

struct DemoFaqFlags : DemoFlags {
  std::vector<std::string> queries;
};

Status run_faq(const DemoFaqFlags& flags) {
  std::vector<std::string> queries = flags.queries;
  if (queries.empty()) {
    queries = {"you billed me twice for the skis that I ordered to Norway", "forgot my login, buying a lamp from Japan",
               "how many days until my tent gets to Austria?"};
  }
  ASSIGN_OR_RETURN(const BiEncoder encoder, open_bi_encoder(flags.model, flags.compute));
  ASSIGN_OR_RETURN(const std::vector<Document> entries, sample_documents("faq.jsonl"));
  const Stopwatch indexing;
  ASSIGN_OR_RETURN(const TemporaryCollection help_centre,
                   TemporaryCollection::create(make_help_centre(entries), encoder));
  RETURN_IF_ERROR(print(fmt::format("{} encoded by {} in {:.2f} s, {}\n\n", count_of((*help_centre).size(), "question"),
                                    flags.model.text(), indexing.seconds(), describe(encoder.compute()))));
  const Retriever retriever(*help_centre, encoder);
  for (const std::string& query : queries) {
    ASSIGN_OR_RETURN(const SearchResponse response,
                     retriever.search(query, {.mode = SearchMode::kBi, .final_top_k = 3}));
    RETURN_IF_ERROR(print(to_table(query, response)));
  }
  return {};
}

// --------------------------------------------------------------------------------------------------------- search

struct DemoSearchFlags : DemoFlags {
  std::string collection;
  std::vector<std::string> queries;
};

/// Where a result of the second stage came from: "+3" places up, "-1" down, "=", or "was 17" where the first stage did
/// not show it.
std::string movement(const SearchHit& hit, std::size_t shown) {
  if (!hit.retrieval_rank) return "";
  if (*hit.retrieval_rank == hit.rank) return "=";
  if (*hit.retrieval_rank > shown) return fmt::format("was {}", *hit.retrieval_rank);
  if (*hit.retrieval_rank > hit.rank) return fmt::format("+{}", *hit.retrieval_rank - hit.rank);
  return fmt::format("-{}", hit.rank - *hit.retrieval_rank);
}

/// Pads to a number of code points, which is what one_line() counts.
std::string pad(std::string text, std::size_t columns) {
  const auto width = static_cast<std::size_t>(
      std::ranges::count_if(text, [](char unit) { return (static_cast<unsigned char>(unit) & 0xC0) != 0x80; }));
  if (width < columns) text.append(columns - width, ' ');
  return text;
}

std::string side_by_side(std::string_view query, const SearchResponse& bi, const SearchResponse& two_stage,
                         std::size_t shown) {
  constexpr std::size_t kLeftScores = 8;
  constexpr std::size_t kRightScores = 25;
  const std::size_t half = std::max<std::size_t>(terminal_columns(), 80) / 2 - 3;
  std::string view =
      fmt::format("{}\n  {} | two stages\n  {} | {}\n", one_line(query, query.size()), pad("bi-encoder alone", half),
                  pad(" cosine document", half), "  final   cross moved    document");
  for (std::size_t i = 0; i < std::max(bi.hits.size(), two_stage.hits.size()); ++i) {
    std::string left;
    if (i < bi.hits.size()) {
      left = fmt::format("{:7.3f} {}", bi.hits[i].retrieval_score.value_or(0),
                         summary_of(*bi.hits[i].document, half - kLeftScores));
    }
    std::string right;
    if (i < two_stage.hits.size()) {
      const SearchHit& hit = two_stage.hits[i];
      right = fmt::format("{:7.3f} {:7.3f} {:<8} {}", hit.final_score, hit.cross_encoder_score.value_or(0),
                          movement(hit, shown), summary_of(*hit.document, half - kRightScores));
    }
    view += fmt::format("  {} | {}\n", pad(left, half), right);
  }
  return view + fmt::format("  {} | {}: {}\n\n", pad(describe(bi.times), half),
                            count_of(two_stage.candidates, "candidate"), describe(two_stage.times));
}

Status run_demo_search(const DemoSearchFlags& flags) {
  constexpr std::size_t kShown = 5;
  ASSIGN_OR_RETURN(const Stages stages, open_stages(flags));
  std::vector<std::string> queries = flags.queries;
  if (queries.empty()) {
    ASSIGN_OR_RETURN(queries, sample_texts("queries.jsonl"));
  }
  std::optional<TemporaryCollection> temporary;
  std::optional<Collection> opened;
  if (flags.collection.empty()) {
    ASSIGN_OR_RETURN(std::vector<Document> documents, sample_documents("corpus.jsonl"));
    ASSIGN_OR_RETURN(std::vector<Document> faq, sample_documents("faq.jsonl"));
    std::ranges::move(faq, std::back_inserter(documents));
    Result<TemporaryCollection> made = TemporaryCollection::create(std::move(documents), stages.bi_encoder);
    if (!made) return tl::unexpected(made.error());
    temporary.emplace(std::move(*made));
  } else {
    ASSIGN_OR_RETURN(opened, Collection::open(flags.collection));
  }
  const Collection& collection = opened ? *opened : **temporary;
  RETURN_IF_ERROR(
      print(fmt::format("{}; first stage {}; second stage {}; {}\n\n", count_of(collection.size(), "document"),
                        flags.model.text(), flags.cross_model.text(), describe(stages.bi_encoder.compute()))));
  const Retriever retriever(collection, stages.bi_encoder, stages.cross_encoder);
  // The first search touches the weights for the first time, which would show in its stage times.
  RETURN_IF_ERROR(retriever.search(queries.front()));
  Truncation truncation;
  for (const std::string& query : queries) {
    ASSIGN_OR_RETURN(const SearchResponse bi,
                     retriever.search(query, {.mode = SearchMode::kBi, .final_top_k = kShown}));
    ASSIGN_OR_RETURN(const SearchResponse two_stage, retriever.search(query, {.final_top_k = kShown}));
    truncation += two_stage.truncation;
    RETURN_IF_ERROR(print(side_by_side(query, bi, two_stage, kShown)));
  }
  note(describe(truncation));
  return {};
}

}  // namespace

void add_demo(CLI::App& app, Action& action) {
  CLI::App* demo = app.add_subcommand("demo", "See what each stage is good at, on the sample data");
  demo->require_subcommand(1);
  demo->footer(
      "Examples:\n"
      "  tandem demo speed\n"
      "  tandem demo nuance\n"
      "  tandem demo accuracy\n"
      "  tandem demo search");
  const auto bi = [](CLI::App& command, DemoFlags& flags) {
    add_model_option(command, flags.model);
    add_compute_options(command, flags.compute);
    add_fetch_named_option(command, flags.compute.network);
  };
  const auto cross = [](CLI::App& command, DemoFlags& flags) {
    add_cross_model_option(command, flags.cross_model);
    add_compute_options(command, flags.compute);
  };
  const auto both = [](CLI::App& command, DemoFlags& flags) {
    add_model_option(command, flags.model);
    add_cross_model_option(command, flags.cross_model);
    add_compute_options(command, flags.compute);
    add_fetch_named_option(command, flags.compute.network);
  };
  add_command<DemoFlags>(*demo, action, "speed", "What a query costs in each stage", both, run_speed);
  add_command<DemoFlags>(*demo, action, "nuance", "Near misses that only the cross-encoder tells apart", both,
                         run_nuance);
  add_command<DemoFlags>(*demo, action, "similarity", "Sentences that mean the same, and that do not", bi,
                         run_similarity);
  add_command<DemoFlags>(*demo, action, "accuracy", "Labelled pairs: ROC-AUC and accuracy at 0.5 of both encoders",
                         both, run_accuracy);
  add_command<DemoFlags>(*demo, action, "legal", "Ranking clauses for a legal question", cross, run_legal);
  add_command<DemoFlags>(*demo, action, "products", "500 product titles: 20 candidates, 5 results", both, run_products);
  add_command<DemoFaqFlags>(
      *demo, action, "faq", "1,000 questions and answers: the three nearest",
      [&bi](CLI::App& command, DemoFaqFlags& flags) {
        flags.model = DefaultModel{"sentence-transformers/all-mpnet-base-v2"};
        command.add_option("QUERY", flags.queries, "What to ask; none: three questions of our own");
        bi(command, flags);
      },
      run_faq);
  add_command<DemoSearchFlags>(
      *demo, action, "search", "Both stages side by side, with what moved",
      [&both](CLI::App& command, DemoSearchFlags& flags) {
        command.add_option("QUERY", flags.queries, "What to search for; none: the sample queries");
        command.add_option("--collection", flags.collection, "A collection to search; none: the sample documents")
            ->type_name("C");
        both(command, flags);
      },
      run_demo_search);
}

}  // namespace tandem::cli
