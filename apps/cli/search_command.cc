// tandem index, tandem search: documents into a collection, and the two-stage search over it.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "collection_search.h"
#include "commands.h"
#include "descriptions.h"
#include "input.h"
#include "options.h"
#include "search_output.h"
#include "tandem/collection.h"
#include "tandem/corpus.h"
#include "terminal.h"
#include "wire/compute_json.h"

namespace tandem::cli {

namespace {

// ---------------------------------------------------------------------------------------------------------- index

struct IndexFlags {
  std::string collection;
  std::vector<std::string> files;
  ModelName model = kDefaultBiEncoder;
  CorpusOptions corpus;
  CollectionWriterOptions writer;
  ComputeFlags compute;
  VectorFlags vectors;
  bool json = false;
};

Status run_index(const IndexFlags& flags) {
  ASSIGN_OR_RETURN(CorpusReader reader, CorpusReader::open(flags.files, flags.corpus));
  ASSIGN_OR_RETURN(const ModelFolders folders,
                   resolve_model(flags.model, flags.compute.network, flags.vectors.adapter));
  ASSIGN_OR_RETURN(const BiEncoder encoder, open_bi_encoder(folders, flags.compute, flags.vectors));
  defer_interrupts();
  const CallOptions call{.stop = interrupts()};
  ASSIGN_OR_RETURN(CollectionWriter writer, CollectionWriter::create(flags.collection, encoder, flags.writer, call));
  const Stopwatch stopwatch;
  {
    ProgressBar bar;
    for (;;) {
      ASSIGN_OR_RETURN(std::optional<Document> document, reader.next());
      if (!document) break;
      RETURN_IF_ERROR(writer.add(std::move(*document), call));
      std::optional<double> fraction;
      if (reader.bytes_total() > 0) {
        fraction = static_cast<double>(reader.bytes_read()) / static_cast<double>(reader.bytes_total());
      }
      bar.update("indexing", "documents", writer.documents(), fraction);
      RETURN_IF_ERROR(check_interrupt());
    }
  }
  const CorpusReport& report = reader.report();
  note_report(report);
  if (writer.documents() == 0) {
    return fail(ErrorCode::kCorruptData, "{}: no document to index", fmt::join(flags.files, ", "));
  }
  ASSIGN_OR_RETURN(const CollectionInfo info, writer.commit(call));
  remember_encoder(info, folders);
  const double seconds = stopwatch.seconds();
  if (!flags.json) {
    note(fmt::format("{} indexed in {:.2f} s ({:.0f}/s, {}), {} on disk, {} skipped; {}",
                     count_of(info.documents, "document"), seconds, static_cast<double>(info.documents) / seconds,
                     describe(encoder.compute()), format_bytes(info.size_bytes), count_of(report.lines_skipped, "line"),
                     describe(info.truncation)));
    return {};
  }
  JsonWriter json;
  json.begin_object().key("collection").value(flags.collection).key("documents").value(info.documents);
  json.key("lines_skipped").value(report.lines_skipped).key("documents_blank").value(report.documents_blank);
  json.key("documents_not_utf8").value(report.documents_not_utf8);
  json.key("files_passed_over").value(report.files_passed_over).key("passed_over").begin_array();
  for (const std::string& entry : report.passed_over) json.value(entry);
  json.end_array().key("size_bytes").value(info.size_bytes);
  json.key("seconds").value(seconds).key("model").value(info.recipe.encoder.model).key("compute");
  write_json(json, encoder.compute()).key("truncation");
  return print(write_json(json, info.truncation).end_object().take() + "\n");
}

// --------------------------------------------------------------------------------------------------------- search

enum class Format { kTable, kJson, kTrec };

struct SearchFlags {
  std::string collection;
  std::vector<std::string> queries;
  std::string queries_file;
  TextOptions queries_text;
  StageFlags stages;
  Format format = Format::kTable;
  std::string tag = kDefaultTag;
};

Result<std::vector<Query>> collect_queries(const SearchFlags& flags) {
  std::vector<Query> queries;
  if (!flags.queries_file.empty()) {
    ASSIGN_OR_RETURN(queries, read_queries(flags.queries_file, flags.queries_text));
  }
  for (const std::string& text : flags.queries) {
    queries.push_back({.id = fmt::format("{}", queries.size() + 1), .text = text});
    if (Status status = check_query(text); !status) return fail_in("query " + queries.back().id, status.error());
  }
  RETURN_IF_ERROR(check_ids_differ(queries));
  if (queries.empty()) {
    return fail(ErrorCode::kInvalidArgument, "nothing to search for: give a QUERY, or a file of them with --queries");
  }
  return queries;
}

Status run_search(const SearchFlags& flags) {
  ASSIGN_OR_RETURN(const std::vector<Query> queries, collect_queries(flags));
  ASSIGN_OR_RETURN(const CollectionSearch search, CollectionSearch::open(flags.collection, flags.stages));
  const Stopwatch stopwatch;
  Truncation truncation;
  const auto print_response = [&](const Query& query, const SearchResponse& response) -> Status {
    truncation += response.truncation;
    switch (flags.format) {
      case Format::kTable:
        return print(to_table(query.text, response));
      case Format::kJson:
        return print(to_json_line(query, response));
      case Format::kTrec:
        break;
    }
    ASSIGN_OR_RETURN(const std::string lines, to_trec(query.id, response, flags.tag));
    return print(lines);
  };
  {
    ProgressBar bar;
    RETURN_IF_ERROR(search.search(queries, bar, print_response));
  }
  const double seconds = stopwatch.seconds();
  if (flags.format == Format::kJson) return {};
  note(fmt::format("{} over {} in {:.2f} s; {}", count_of(queries.size(), "query", "queries"),
                   count_of(search.collection().size(), "document"), seconds, describe(truncation)));
  return {};
}

}  // namespace

void add_index(CLI::App& app, Action& action) {
  CLI::App* command = add_command<IndexFlags>(
      app, action, "index", "Embed documents into a collection, in place of what it held",
      [](CLI::App& command, IndexFlags& flags) {
        command.add_option("COLLECTION", flags.collection, "The collection's folder")->required();
        command.add_option("FILE", flags.files, "Files and folders of documents; - is standard input")->required();
        add_model_option(command, flags.model);
        add_text_options(command, flags.corpus.text);
        command.add_flag("--skip-bad-lines", flags.corpus.skip_bad_lines,
                         "Count lines that cannot be read instead of stopping at the first");
        add_metric_option(command, flags.writer.metric);
        command
            .add_option("--title-separator", flags.writer.title_separator,
                        "Between title and text of what is embedded; default: a blank; [SEP] for allenai/specter2")
            ->type_name("S");
        add_compute_options(command, flags.compute);
        add_fetch_named_option(command, flags.compute.network);
        add_max_length_option(command, flags.compute.max_length);
        add_vector_options(command, flags.vectors);
        add_role_prompt_options(command, flags.vectors);
        command.add_option("--prompt", flags.vectors.document_prompt, "The same as --document-prompt")
            ->type_name("P")
            ->excludes("--document-prompt");
        add_json_option(command, flags.json);
      },
      run_index);
  command->footer(
      "JSONL lines hold \"text\" and, if they like, \"_id\", \"title\" and \"metadata\"; TSV and CSV have the same "
      "columns;\n"
      "other files are one text per line, any of them may be compressed with gzip; folders are searched for .txt and "
      ".md\n"
      "files. What is none of that is refused. The collection changes in one step at the end: until then, and after "
      "an\n"
      "interrupt, the old one stays.\n"
      "Example:\n"
      "  tandem index faq.tandem examples/data/faq.jsonl");
}

void add_search(CLI::App& app, Action& action) {
  CLI::App* command = add_command<SearchFlags>(
      app, action, "search", "Search a collection in two stages",
      [](CLI::App& command, SearchFlags& flags) {
        command.add_option("COLLECTION", flags.collection, "The collection's folder")->required();
        command.add_option("QUERY", flags.queries, "What to search for; each argument is one query");
        command
            .add_option(
                "--queries", flags.queries_file,
                "A file of queries: JSONL or a table with \"_id\" and \"text\", qid TAB text in *.tsv, else one "
                "per line; - is standard input")
            ->type_name("F");
        add_query_text_options(command, flags.queries_text);
        add_search_options(command, flags.stages.search);
        add_drop_self_option(command, flags.stages.search.drop_self);
        add_choice(command, "--format", flags.format,
                   Choices<Format>{{"table", Format::kTable}, {"json", Format::kJson}, {"trec", Format::kTrec}},
                   "How results are printed; json: one object per query and line; trec: a run file");
        command.add_flag_callback(
            "--json", [&flags] { flags.format = Format::kJson; }, "The same as --format json");
        add_tag_option(command, flags.tag, "The last column of a TREC run");
        add_stage_options(command, flags.stages);
        std::vector<IdleOptions> idle = idle_stage_options(flags.stages.search.mode);
        idle.push_back({{"--drop-self"}, "without --queries", [&flags] { return flags.queries_file.empty(); }});
        idle.push_back({{"--format"}, "with --json", [&command] {
                          return is_given(command, "--json") &&
                                 command.get_option("--format")->results().back() != "json";
                        }});
        idle.push_back({{"--tag"}, "without --format trec", [&flags] { return flags.format != Format::kTrec; }});
        refuse_idle_options(command, std::move(idle));
      },
      run_search);
  command->footer(
      "Examples:\n"
      "  tandem index faq.tandem examples/data/faq.jsonl\n"
      "  tandem search faq.tandem 'Can I get my money back?'\n"
      "  tandem search faq.tandem 'Where is my parcel?' --mode bi --format trec");
}

}  // namespace tandem::cli
