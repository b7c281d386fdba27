// tandem collection info, tandem collection verify: what a collection is, and whether it is whole.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "commands.h"
#include "descriptions.h"
#include "options.h"
#include "tandem/collection.h"
#include "terminal.h"
#include "wire/collection_json.h"

namespace tandem::cli {

namespace {

struct CollectionFlags {
  std::string collection;
  bool json = false;
};

std::string to_json(const std::string& folder, const Collection& collection) {
  JsonWriter json;
  json.begin_object().key("collection").value(folder);
  return write_members(json, collection.info(), collection.segments()).end_object().take() + "\n";
}

std::string to_lines(const Collection& collection) {
  const CollectionInfo& info = collection.info();
  const EmbeddingRecipe& recipe = info.recipe;
  std::string lines;
  const auto add = [&lines](std::string_view name, std::string_view value) {
    lines += fmt::format("{:<17}{}\n", name, shown_field(value));
  };
  add("documents", fmt::format("{} in {}", info.documents, count_of(collection.segments(), "segment")));
  add("on disk", format_bytes(info.size_bytes));
  add("created", info.created);
  add("model", recipe.encoder.model);
  add("weights", recipe.encoder.weights_hash);
  if (!recipe.encoder.settings.empty()) add("settings", recipe.encoder.settings);
  const bool knows_precision = recipe.precision != Precision::kAuto;
  add("vectors", fmt::format("{} dimensions, {} pooling{}, computed in {}", recipe.encoder.dimensions,
                             recipe.encoder.pooling, recipe.encoder.normalized() ? ", normalised" : "",
                             knows_precision ? name_of(recipe.precision) : "an unknown precision"));
  add("metric", name_of(info.metric));
  add("tokens read", fmt::format("{} of each text", recipe.encoder.max_length));
  if (!recipe.encoder.prompt_name.empty()) add("prompt", recipe.encoder.prompt_name);
  if (recipe.query_prompt) add("query prompt", fmt::format("'{}'", *recipe.query_prompt));
  if (recipe.document_prompt) add("document prompt", fmt::format("'{}'", *recipe.document_prompt));
  add("title separator", fmt::format("'{}'", recipe.title_separator));
  add("truncation", describe(info.truncation));
  for (const std::string& setting : info.not_recorded) add("not recorded", setting);
  return lines;
}

Status run_info(const CollectionFlags& flags) {
  ASSIGN_OR_RETURN(const Collection collection, Collection::open(flags.collection));
  return print(flags.json ? to_json(flags.collection, collection) : to_lines(collection));
}

Status run_verify(const CollectionFlags& flags) {
  ASSIGN_OR_RETURN(const Collection collection, Collection::open(flags.collection));
  const Stopwatch stopwatch;
  {
    ProgressBar bar;
    RETURN_IF_ERROR(collection.verify(bar.call()));
  }
  const double seconds = stopwatch.seconds();
  const CollectionInfo& info = collection.info();
  if (!flags.json) {
    note(fmt::format("{} and {} are whole, {:.2f} s{}", count_of(info.documents, "document"),
                     format_bytes(info.size_bytes), seconds,
                     collection.has_checksums() ? "" : "; its version of the format has no checksums of vectors"));
    return {};
  }
  JsonWriter json;
  json.begin_object().key("collection").value(flags.collection).key("documents").value(info.documents);
  json.key("size_bytes").value(info.size_bytes).key("checksums").value(collection.has_checksums());
  return print(json.key("seconds").value(seconds).end_object().take() + "\n");
}

void add_collection_options(CLI::App& command, CollectionFlags& flags) {
  command.add_option("COLLECTION", flags.collection, "The collection's folder")->required();
  add_json_option(command, flags.json);
}

}  // namespace

void add_collection(CLI::App& app, Action& action) {
  CLI::App* collection = app.add_subcommand("collection", "Look at a collection, and check it");
  collection->require_subcommand(1);
  collection->footer(
      "Examples:\n"
      "  tandem index faq.tandem examples/data/faq.jsonl\n"
      "  tandem collection info faq.tandem\n"
      "  tandem collection verify faq.tandem");
  add_command<CollectionFlags>(*collection, action, "info",
                               "What a collection holds, and the recipe that its vectors were made by",
                               add_collection_options, run_info);
  add_command<CollectionFlags>(*collection, action, "verify",
                               "Read everything: vectors against their checksums, and every document",
                               add_collection_options, run_verify);
}

}  // namespace tandem::cli
