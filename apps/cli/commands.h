// The commands of the program, one function each to put it on the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "tandem/result.h"

namespace tandem::cli {

/// What the chosen command does once the whole command line has been read.
using Action = std::function<Status()>;

// Each adds its command to `app`; when the command is the one that was given, parsing sets `action`.
void add_pull(CLI::App& app, Action& action);
void add_models(CLI::App& app, Action& action);
void add_tokenize(CLI::App& app, Action& action);
void add_embed(CLI::App& app, Action& action);
void add_score(CLI::App& app, Action& action);
void add_rerank(CLI::App& app, Action& action);
void add_index(CLI::App& app, Action& action);
void add_search(CLI::App& app, Action& action);
void add_collection(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_advise(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_bench_compare(CLI::App& bench, Action& action);
void add_demo(CLI::App& app, Action& action);
void add_completion(CLI::App& app, Action& action);
void add_help(CLI::App& app, Action& action);

/// Adds a command whose options are kept in an `Options` for as long as the program runs. `setup(command, options)`
/// puts them on the command line, `run(options)` is the command.
template <class Options, class Setup>
CLI::App* add_command(CLI::App& app, Action& action, const char* name, const char* description, Setup setup,
                      Status (*run)(const Options&)) {
  CLI::App* command = app.add_subcommand(name, description);
  auto options = std::make_shared<Options>();
  setup(*command, *options);
  command->callback([&action, options, run] { action = [options, run] { return run(*options); }; });
  return command;
}

}  // namespace tandem::cli
