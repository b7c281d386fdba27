// tandem tokenize, tandem embed: what a model makes of single texts.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "commands.h"
#include "descriptions.h"
#include "input.h"
#include "npy_writer.h"
#include "options.h"
#include "tandem/bi_encoder.h"
#include "tandem/tokenizer.h"
#include "terminal.h"
#include "wire/compute_json.h"
#include "wire/encoding_json.h"
#include "wire/json_parts.h"

namespace tandem::cli {

namespace {

// ------------------------------------------------------------------------------------------------------- tokenize

struct TokenizeFlags {
  ModelName model = kDefaultBiEncoder;
  std::string input = "-";
  TextOptions text;
  bool pair = false;
  NetworkFlags network;
  std::optional<std::size_t> max_length;
};

Encoding encode(const Tokenizer& tokenizer, const std::string& text, const EncodeOptions& options) {
  return tokenizer.encode(text, options);
}

Encoding encode(const Tokenizer& tokenizer, const Pair& pair, const EncodeOptions& options) {
  return tokenizer.encode(pair.query, pair.document, options);
}

template <class Record>
Status tokenize(const TokenizeFlags& flags, const Records<Record>& records) {
  ASSIGN_OR_RETURN(auto reader, RecordReader<Record>::open(flags.input, records, flags.text));
  ASSIGN_OR_RETURN(const ModelFolders folders, resolve_model(flags.model, flags.network));
  ASSIGN_OR_RETURN(const ModelTokenizer model, open_model_tokenizer(folders.model));
  EncodeOptions options = model.options;
  if (flags.max_length) options.tokens_max = *flags.max_length;
  Truncation truncation;
  for (;;) {
    ASSIGN_OR_RETURN(const std::optional<Record> record, reader.next());
    if (!record) break;
    const Encoding encoding = encode(model.tokenizer, *record, options);
    truncation += {.texts = 1,
                   .texts_truncated = encoding.tokens_dropped > 0 ? std::size_t{1} : 0,
                   .tokens_dropped = encoding.tokens_dropped};
    JsonWriter json;
    RETURN_IF_ERROR(print(write_json(json, encoding, model.tokenizer).take() + "\n"));
  }
  note(describe(truncation));
  return {};
}

Status run_tokenize(const TokenizeFlags& flags) {
  return flags.pair ? tokenize(flags, pairs()) : tokenize(flags, texts());
}

// ---------------------------------------------------------------------------------------------------------- embed

struct EmbedFlags {
  ModelName model = kDefaultBiEncoder;
  std::string input = "-";
  TextOptions text;
  std::string output;
  ComputeFlags compute;
  VectorFlags vectors;
  bool json = false;
};

/// Where the vectors go: a .npy file, or standard output as JSON.
class EmbedOutput {
 public:
  static Result<EmbedOutput> open(const EmbedFlags& flags, std::size_t dimensions) {
    EmbedOutput output;
    output.as_object_ = flags.json;
    if (!flags.output.empty()) {
      defer_interrupts();
      ASSIGN_OR_RETURN(NpyWriter file, NpyWriter::create(flags.output, dimensions));
      output.file_.emplace(std::move(file));
    } else if (flags.json) {
      RETURN_IF_ERROR(print("{\"embeddings\":["));
    }
    return output;
  }

  Status append(const Matrix& vectors) {
    if (file_) return file_->append(vectors);
    for (std::size_t row = 0; row < vectors.rows(); ++row) {
      JsonWriter json;
      const std::string vector = write_json(json, vectors.row(row)).take();
      // Alone, a vector ends its line; inside an object, a comma goes before each but the first.
      RETURN_IF_ERROR(print((as_object_ ? (rows_ > 0 ? ",\n" : "") : "") + vector + (as_object_ ? "" : "\n")));
      ++rows_;
    }
    return {};
  }

  /// `summary` is a JSON object with at least one member.
  Status finish(const std::string& summary) {
    if (file_) RETURN_IF_ERROR(file_->commit());
    if (!as_object_) return {};
    return print(file_ ? summary + "\n" : "]," + summary.substr(1) + "\n");
  }

 private:
  std::optional<NpyWriter> file_;
  bool as_object_ = false;
  std::size_t rows_ = 0;
};

Status run_embed(const EmbedFlags& flags) {
  // The input first: a wrong name should not have to wait for a model.
  RETURN_IF_ERROR(check_is_no_input("--output", flags.output, {&flags.input, 1}));
  ASSIGN_OR_RETURN(auto reader, RecordReader<std::string>::open(flags.input, texts(), flags.text));
  ASSIGN_OR_RETURN(const ModelFolders folders,
                   resolve_model(flags.model, flags.compute.network, flags.vectors.adapter));
  RETURN_IF_ERROR(check_is_no_input("--output", flags.output,
                                    std::vector{folders.model.string(), folders.adapter.value_or("").string()}));
  ASSIGN_OR_RETURN(const BiEncoder encoder, open_bi_encoder(folders, flags.compute, flags.vectors));
  ASSIGN_OR_RETURN(EmbedOutput output, EmbedOutput::open(flags, encoder.dimensions()));

  const Stopwatch stopwatch;
  Truncation truncation;
  const std::size_t batch_size = batch_rows(encoder.dimensions(), kBatchRecords);
  {
    ProgressBar bar;
    for (;;) {
      const double fraction_before = reader.fraction().value_or(0);
      bar.clear();
      ASSIGN_OR_RETURN(const std::vector<std::string> texts, reader.next_batch(batch_size));
      if (texts.empty()) break;
      const std::vector<std::string_view> views(texts.begin(), texts.end());
      const auto on_progress = [&](const Progress& progress) {
        const double share = static_cast<double>(progress.done) / static_cast<double>(texts.size());
        std::optional<double> fraction = reader.fraction();
        if (fraction) fraction = fraction_before + (*fraction - fraction_before) * share;
        bar.update("embedding", "texts", truncation.texts + progress.done, fraction);
      };
      const Result<Embeddings> embeddings =
          encoder.encode(views, TextRole::kPlain, {.progress = on_progress, .stop = interrupts()});
      if (!embeddings) return fail_in(fmt::format("texts from {} on", truncation.texts + 1), embeddings.error());
      truncation += embeddings->truncation;
      RETURN_IF_ERROR(output.append(embeddings->vectors));
      RETURN_IF_ERROR(check_interrupt());
    }
  }
  JsonWriter json;
  json.begin_object().key("model").value(flags.model.text()).key("texts").value(truncation.texts);
  json.key("dimensions").value(encoder.dimensions()).key("seconds").value(stopwatch.seconds());
  json.key("compute");
  write_json(json, encoder.compute()).key("truncation");
  write_json(json, truncation);
  if (!flags.output.empty()) json.key("output").value(flags.output);
  RETURN_IF_ERROR(output.finish(json.end_object().take()));
  if (!flags.json) {
    const double seconds = stopwatch.seconds();
    note(fmt::format("{} embedded in {:.2f} s ({:.0f}/s, {}); {}", count_of(truncation.texts, "text"), seconds,
                     static_cast<double>(truncation.texts) / seconds, describe(encoder.compute()),
                     describe(truncation)));
  }
  return {};
}

}  // namespace

void add_tokenize(CLI::App& app, Action& action) {
  CLI::App* command = add_command<TokenizeFlags>(
      app, action, "tokenize", "Print each text's tokens as the model gets them, one JSON line per text",
      [](CLI::App& command, TokenizeFlags& flags) {
        add_model_option(command, flags.model);
        add_input_options(command, flags.input, flags.text);
        command.add_flag("--pair", flags.pair, "Read pairs: query TAB document, or {\"query\", \"document\"} in JSONL");
        add_max_length_option(command, flags.max_length);
        add_offline_option(command, flags.network);
        add_fetch_named_option(command, flags.network);
      },
      run_tokenize);
  command->footer(
      "Examples:\n"
      "  echo 'Meaning, not keywords.' | tandem tokenize\n"
      "  printf 'how tall is it?\\t330 metres\\n' | tandem tokenize --pair");
}

void add_embed(CLI::App& app, Action& action) {
  CLI::App* command = add_command<EmbedFlags>(
      app, action, "embed", "Turn texts into vectors: a .npy file, or one JSON array per line",
      [](CLI::App& command, EmbedFlags& flags) {
        add_model_option(command, flags.model);
        add_input_options(command, flags.input, flags.text);
        command.add_option("--output", flags.output, "A .npy file for the vectors, float32 [texts, dimensions]")
            ->type_name("F.npy");
        add_compute_options(command, flags.compute);
        add_fetch_named_option(command, flags.compute.network);
        add_max_length_option(command, flags.compute.max_length);
        add_vector_options(command, flags.vectors);
        add_prompt_option(command, flags.vectors);
        add_json_option(command, flags.json);
      },
      run_embed);
  command->footer(
      "The output file appears under its name only when it is whole.\n"
      "Examples:\n"
      "  echo 'Meaning, not keywords.' | tandem embed\n"
      "  tandem embed --input examples/data/corpus.jsonl --output corpus.npy");
}

}  // namespace tandem::cli
