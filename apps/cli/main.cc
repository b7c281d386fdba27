// The tandem program: finds the command, runs it, and turns its outcome into an exit status.
//
// 0: success. 1: failure. 2: the command line, or what it asks for, makes no sense. 128 + n: ended by signal n.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <sstream>
#include <string_view>

#include "base/error.h"
#include "commands.h"
#include "terminal.h"

namespace tandem::cli {

namespace {

constexpr int kFailure = 1;
constexpr int kUsage = 2;

void add_commands(CLI::App& app, Action& action) {
  app.set_version_flag("--version", "tandem " TANDEM_VERSION);
  app.require_subcommand(1);
  app.footer("`tandem help COMMAND` explains a command, with examples.");
  add_pull(app, action);
  add_models(app, action);
  add_tokenize(app, action);
  add_embed(app, action);
  add_score(app, action);
  add_rerank(app, action);
  add_index(app, action);
  add_search(app, action);
  add_collection(app, action);
  add_eval(app, action);
  add_advise(app, action);
  add_bench(app, action);
  add_demo(app, action);
  add_completion(app, action);
  add_help(app, action);
}

Status run(const Action& action) {
  RETURN_IF_ERROR(action());
  return flush_output();
}

/// Opens /dev/null in the place of each standard descriptor that is closed: the next file to be opened would get its
/// number, and what is meant for the terminal would be written into it.
void occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // open() takes the lowest number that is free, which is this one.
    static_cast<void>(::open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY));
  }
}

/// SQLite maps a file beside a `--cache`; where another process shortens it, the system ends this one: not without a
/// word. What Tandem maps itself is an error with the file's name.
void on_lost_file(int signal) {
  constexpr std::string_view kMessage = "tandem: another process has shortened a file that was in use\n";
  static_cast<void>(!::write(STDERR_FILENO, kMessage.data(), kMessage.size()));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

int main_without_exceptions(int argc, char** argv) {
  occupy_standard_descriptors();
  std::signal(SIGBUS, on_lost_file);
  // A file that may not grow further shows as an error of the write.
  std::signal(SIGXFSZ, SIG_IGN);
  // A reader that goes away shows as an error of print(), and a hub that does as an error of the pull.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Two-stage retrieval: a bi-encoder finds candidates, a cross-encoder ranks them.", "tandem");
  Action action;
  add_commands(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    std::ostringstream text;  // Help, or the version.
    app.exit(asked, text, text);
    action = [text = text.str()] { return print(text); };
  } catch (const CLI::ParseError& error) {
    note(error.what());
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    print_to_stderr(fmt::format("Try `tandem help{}`.\n", chosen.empty() ? "" : " " + chosen.back()->get_name()));
    return kUsage;
  }
  const Status status = run(action);
  obey_interrupt();
  if (status) return 0;
  note(status.error().message);
  return status.error().code == ErrorCode::kInvalidArgument ? kUsage : kFailure;
}

}  // namespace

}  // namespace tandem::cli

int main(int argc, char** argv) {
  try {
    return tandem::cli::main_without_exceptions(argc, argv);
  } catch (const std::bad_alloc&) {
    tandem::cli::print_to_stderr("tandem: out of memory\n");
  } catch (const std::exception& error) {
    tandem::cli::note(fmt::format("unexpected: {}", error.what()));
  }
  return 1;
}
