// tandem bench: how fast this machine runs a model, its tokenizer or a search, on your own texts or on the sample data.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "commands.h"
#include "descriptions.h"
#include "durations.h"
#include "input.h"
#include "options.h"
#include "sample_data.h"
#include "tandem/retriever.h"
#include "tandem/tokenizer.h"
#include "terminal.h"
#include "wire/compute_json.h"

namespace tandem::cli {

namespace {

/// Options that every benchmark has.
struct BenchFlags {
  ModelName model;
  std::string input;
  TextOptions text;
  std::size_t repeat = 5;
  ComputeFlags compute;
  bool json = false;
};

void add_texts_options(CLI::App& command, BenchFlags& flags) {
  command.add_option("--input", flags.input, "Texts to measure with; default: sample data")->type_name("F");
  add_text_options(command, flags.text);
  add_count(command, "--repeat", flags.repeat, 1, 1000, "How often all of the work is done after a warm-up")
      ->capture_default_str();
  add_json_option(command, flags.json);
}

void add_bench_options(CLI::App& command, BenchFlags& flags) {
  add_texts_options(command, flags);
  add_compute_options(command, flags.compute);
}

Result<std::vector<std::string>> read_texts(const BenchFlags& flags) {
  if (!flags.input.empty()) {
    ASSIGN_OR_RETURN(std::vector<std::string> found, read_all(flags.input, texts(), flags.text));
    if (found.empty()) return fail(ErrorCode::kCorruptData, "{}: holds no text to measure with", flags.input);
    return found;
  }
  ASSIGN_OR_RETURN(std::vector<std::string> texts, sample_texts("corpus.jsonl"));
  ASSIGN_OR_RETURN(std::vector<std::string> more, sample_texts("faq.jsonl"));
  std::ranges::move(more, std::back_inserter(texts));
  return texts;
}

Result<ModelTokenizer> open_tokenizer(const BenchFlags& flags) {
  ASSIGN_OR_RETURN(const ModelFolders folders, resolve_model(flags.model, flags.compute.network));
  ASSIGN_OR_RETURN(ModelTokenizer model, open_model_tokenizer(folders.model));
  if (flags.compute.max_length) model.options.tokens_max = *flags.compute.max_length;
  return model;
}

/// How many tokens a model reads of these texts, special tokens included.
Result<std::size_t> count_tokens(const BenchFlags& flags, const std::vector<TextPair>& pairs, bool as_pairs) {
  ASSIGN_OR_RETURN(const ModelTokenizer model, open_tokenizer(flags));
  std::size_t tokens = 0;
  for (const TextPair& pair : pairs) {
    const Encoding encoding = as_pairs ? model.tokenizer.encode(pair.query, pair.document, model.options)
                                       : model.tokenizer.encode(pair.document, model.options);
    tokens += encoding.ids.size();
  }
  return tokens;
}

/// What measuring a model has found, in the words of `noun` ("text", "pair").
struct Throughput {
  std::string_view benchmark;
  std::string_view noun;
  std::size_t items = 0;
  std::size_t tokens = 0;
  Durations all = {};     ///< Everything in one call.
  Durations single = {};  ///< One item per call.
  Truncation truncation = {};
};

Status print_throughput(const BenchFlags& flags, const Throughput& found, const ComputeInfo& compute) {
  const double seconds = found.all.median();
  const double items_per_second = static_cast<double>(found.items) / seconds;
  const double tokens_per_second = static_cast<double>(found.tokens) / seconds;
  if (!flags.json) {
    RETURN_IF_ERROR(
        print(fmt::format("{} with {} ({})\n"
                          "  {} of {:.1f} tokens on average: {:.1f} {}s/s, {:.0f} tokens/s\n"
                          "  all at once: {}\n"
                          "  one at a time: {}\n",
                          found.benchmark, flags.model.text(), describe(compute), count_of(found.items, found.noun),
                          static_cast<double>(found.tokens) / static_cast<double>(found.items), items_per_second,
                          found.noun, tokens_per_second, found.all.describe(), found.single.describe())));
    note(describe(found.truncation));
    return {};
  }
  JsonWriter json;
  json.begin_object().key("benchmark").value(found.benchmark).key("model").value(flags.model.text()).key("compute");
  write_json(json, compute).key("items").value(found.items).key("tokens").value(found.tokens);
  json.key("items_per_second").value(items_per_second).key("tokens_per_second").value(tokens_per_second);
  found.all.write_json(json.key("all"));
  found.single.write_json(json.key("single"));
  write_json(json.key("truncation"), found.truncation);
  return print(json.end_object().take() + "\n");
}

/// At most this many single calls are timed: enough for a 95th percentile.
constexpr std::size_t kSinglesMax = 200;

Status run_bench_embed(const BenchFlags& flags) {
  ASSIGN_OR_RETURN(const std::vector<std::string> texts, read_texts(flags));
  ASSIGN_OR_RETURN(const BiEncoder encoder, open_bi_encoder(flags.model, flags.compute));
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  Throughput found{.benchmark = "embed", .noun = "text", .items = texts.size()};
  ASSIGN_OR_RETURN(found.all, Durations::measure(flags.repeat, [&]() -> Status {
                     ASSIGN_OR_RETURN(const Embeddings embeddings, encoder.encode(views));
                     found.truncation = embeddings.truncation;
                     return {};
                   }));
  for (std::size_t i = 0; i < std::min(views.size(), kSinglesMax); ++i) {
    const Stopwatch stopwatch;
    ASSIGN_OR_RETURN(const Embeddings embeddings, encoder.encode(std::span(&views[i], 1)));
    found.single.add(stopwatch.seconds());
  }
  std::vector<TextPair> singles;
  for (const std::string_view text : views) singles.push_back({.query = {}, .document = text});
  ASSIGN_OR_RETURN(found.tokens, count_tokens(flags, singles, /*as_pairs=*/false));
  return print_throughput(flags, found, encoder.compute());
}

struct BenchRerankFlags : BenchFlags {
  std::string query = "How does a search engine decide what comes first?";
};

Status run_bench_rerank(const BenchRerankFlags& flags) {
  ASSIGN_OR_RETURN(const std::vector<std::string> texts, read_texts(flags));
  ASSIGN_OR_RETURN(const CrossEncoder encoder, open_cross_encoder(flags.model, flags.compute));
  std::vector<TextPair> pairs;
  for (const std::string& text : texts) pairs.push_back({.query = flags.query, .document = text});
  Throughput found{.benchmark = "rerank", .noun = "pair", .items = pairs.size()};
  ASSIGN_OR_RETURN(found.all, Durations::measure(flags.repeat, [&]() -> Status {
                     ASSIGN_OR_RETURN(const PairScores scores, encoder.predict(pairs));
                     found.truncation = scores.truncation;
                     return {};
                   }));
  for (std::size_t i = 0; i < std::min(pairs.size(), kSinglesMax); ++i) {
    const Stopwatch stopwatch;
    ASSIGN_OR_RETURN(const PairScores scores, encoder.predict(std::span(&pairs[i], 1)));
    found.single.add(stopwatch.seconds());
  }
  ASSIGN_OR_RETURN(found.tokens, count_tokens(flags, pairs, /*as_pairs=*/true));
  return print_throughput(flags, found, encoder.compute());
}

Status run_bench_tokenize(const BenchFlags& flags) {
  ASSIGN_OR_RETURN(const std::vector<std::string> texts, read_texts(flags));
  ASSIGN_OR_RETURN(const ModelTokenizer model, open_tokenizer(flags));
  ASSIGN_OR_RETURN(const Durations load, Durations::measure(flags.repeat, [&]() -> Status {
                     ASSIGN_OR_RETURN(const ModelTokenizer again, open_tokenizer(flags));
                     return {};
                   }));
  std::size_t tokens = 0;
  Truncation truncation;
  ASSIGN_OR_RETURN(const Durations all, Durations::measure(flags.repeat, [&]() -> Status {
                     tokens = 0;
                     truncation = {.texts = texts.size()};
                     for (const std::string& text : texts) {
                       const Encoding encoding = model.tokenizer.encode(text, model.options);
                       tokens += encoding.ids.size();
                       truncation.texts_truncated += encoding.tokens_dropped > 0 ? 1 : 0;
                       truncation.tokens_dropped += encoding.tokens_dropped;
                     }
                     return {};
                   }));
  const double tokens_per_second = static_cast<double>(tokens) / all.median();
  if (!flags.json) {
    RETURN_IF_ERROR(print(fmt::format(
        "tokenize with {} (1 thread)\n  {}: {:.0f} tokens/s\n  all of them: {}\n  loading: {}\n", flags.model.text(),
        count_of(texts.size(), "text"), tokens_per_second, all.describe(), load.describe())));
    note(describe(truncation));
    return {};
  }
  JsonWriter json;
  json.begin_object().key("benchmark").value("tokenize").key("model").value(flags.model.text());
  json.key("items").value(texts.size()).key("tokens").value(tokens);
  all.write_json(json.key("tokens_per_second").value(tokens_per_second).key("all"));
  load.write_json(json.key("load"));
  write_json(json.key("truncation"), truncation);
  return print(json.end_object().take() + "\n");
}

struct BenchSearchFlags : BenchFlags {
  std::string collection;
  ModelName cross_model = kDefaultCrossEncoder;
  SearchOptions search;
};

Status run_bench_search(const BenchSearchFlags& flags) {
  ASSIGN_OR_RETURN(const std::vector<std::string> queries,
                   flags.input.empty() ? sample_texts("queries.jsonl") : read_texts(flags));
  ASSIGN_OR_RETURN(const Collection collection,
                   Collection::open(flags.collection, {.executor = flags.compute.compute.executor}));
  std::optional<std::string> model;
  if (!flags.model.text().empty()) model = flags.model.text();
  std::optional<BiEncoder> bi_encoder;
  if (flags.search.mode != SearchMode::kCross) {
    ASSIGN_OR_RETURN(bi_encoder, open_encoder_of(collection, model, flags.compute));
  }
  std::optional<CrossEncoder> cross_encoder;
  if (flags.search.mode != SearchMode::kBi) {
    ASSIGN_OR_RETURN(cross_encoder, open_cross_encoder(flags.cross_model, flags.compute));
  }
  const ComputeInfo compute = bi_encoder ? bi_encoder->compute() : cross_encoder->compute();
  const Retriever retriever(collection, bi_encoder, cross_encoder);
  Durations encode;
  Durations retrieve;
  Durations rerank;
  Durations total;
  Truncation truncation;
  for (std::size_t run = 0; run <= flags.repeat; ++run) {
    for (const std::string& query : queries) {
      ASSIGN_OR_RETURN(const SearchResponse response, retriever.search(query, flags.search));
      if (run == 0) {  // The warm-up.
        truncation += response.truncation;
        continue;
      }
      encode.add(response.times.encode_ms / 1e3);
      retrieve.add(response.times.retrieve_ms / 1e3);
      rerank.add(response.times.rerank_ms / 1e3);
      total.add(response.times.total_ms / 1e3);
    }
  }
  if (!flags.json) {
    RETURN_IF_ERROR(
        print(fmt::format("search in {} of {} ({})\n  encode:   {}\n  retrieve: {}\n  rerank:   {}\n  total:    {}\n",
                          flags.collection, count_of(collection.size(), "document"), describe(compute),
                          encode.describe(), retrieve.describe(), rerank.describe(), total.describe())));
    note(describe(truncation));
    return {};
  }
  JsonWriter json;
  json.begin_object().key("benchmark").value("search").key("documents").value(collection.size());
  json.key("queries").value(queries.size());
  write_json(json.key("compute"), compute);
  encode.write_json(json.key("encode"));
  retrieve.write_json(json.key("retrieve"));
  rerank.write_json(json.key("rerank"));
  total.write_json(json.key("total"));
  write_json(json.key("truncation"), truncation);
  return print(json.end_object().take() + "\n");
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  CLI::App* bench =
      app.add_subcommand("bench", "Measure tokenizing, embedding, reranking or searching on this machine");
  bench->require_subcommand(1);
  bench->footer(
      "Example:\n"
      "  tandem bench embed --repeat 2");
  add_command<BenchFlags>(
      *bench, action, "embed", "Texts and tokens per second through a bi-encoder",
      [](CLI::App& command, BenchFlags& flags) {
        flags.model = kDefaultBiEncoder;
        add_model_option(command, flags.model);
        add_bench_options(command, flags);
        add_fetch_named_option(command, flags.compute.network);
        add_max_length_option(command, flags.compute.max_length);
      },
      run_bench_embed);
  add_command<BenchRerankFlags>(
      *bench, action, "rerank", "Pairs and tokens per second through a cross-encoder",
      [](CLI::App& command, BenchRerankFlags& flags) {
        flags.model = kDefaultCrossEncoder;
        add_model_option(command, flags.model);
        command.add_option("--query", flags.query, "The query of every pair")->type_name("Q")->capture_default_str();
        add_bench_options(command, flags);
        add_max_length_option(command, flags.compute.max_length);
      },
      run_bench_rerank);
  add_command<BenchFlags>(
      *bench, action, "tokenize", "Tokens per second out of a model's tokenizer, in one thread",
      [](CLI::App& command, BenchFlags& flags) {
        flags.model = kDefaultBiEncoder;
        add_model_option(command, flags.model);
        add_texts_options(command, flags);
        add_max_length_option(command, flags.compute.max_length);
        add_offline_option(command, flags.compute.network);
        add_fetch_named_option(command, flags.compute.network);
      },
      run_bench_tokenize);
  add_command<BenchSearchFlags>(
      *bench, action, "search", "Time per query and stage in a collection",
      [](CLI::App& command, BenchSearchFlags& flags) {
        command.add_option("COLLECTION", flags.collection, "The collection's folder")->required();
        command.add_option("--model", flags.model, "The bi-encoder; default: the one that the collection remembers")
            ->type_name("M");
        add_cross_model_option(command, flags.cross_model);
        add_search_options(command, flags.search);
        add_bench_options(command, flags);
        add_fetch_named_option(command, flags.compute.network);
        refuse_idle_options(command, idle_stage_options(flags.search.mode));
      },
      run_bench_search);
  add_bench_compare(*bench, action);
}

}  // namespace tandem::cli
