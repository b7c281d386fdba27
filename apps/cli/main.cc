// The tandem program: finds the command, runs it, and turns its outcome into an exit status.
//
// 0: success. 1: failure. 2: the command line, or what it asks for, makes no sense. 128 + n: ended by signal n.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <numeric>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

// The parser takes "[a,b]" apart wherever several values may be given. An argument that looks so gets this in front
// until it has been parsed; no terminal and no shell writes it.
constexpr char kVerbatim = '\x1f';

/// The arguments as the parser wants them: the last one first.
std::vector<std::string> verbatim_arguments(int argc, char** argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  for (std::string& argument : arguments) {
    if (argument.size() > 1 && argument.front() == '[' && argument.back() == ']') argument.insert(0, 1, kVerbatim);
  }
  std::ranges::reverse(arguments);
  return arguments;
}

/// Before anybody looks at a value, what verbatim_arguments() put in front of it is taken away.
void take_verbatim(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    option->transform([](std::string value) { return value.starts_with(kVerbatim) ? value.substr(1) : value; });
  }
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) take_verbatim(*command);
}

Status run(const Action& action) {
  RETURN_IF_ERROR(action());
  return flush_output();
}

/// In how many letters two words differ: inserted, left out, or others (Levenshtein).
std::size_t difference(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t same = diagonal + (one[i] == other[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({same, row[j] + 1, row[j + 1] + 1}));
    }
  }
  return row.back();
}

/// " Did you mean `search`?" for a first argument that is nearly a command; nothing for others.
std::string suggestion_for(std::string_view word, const CLI::App& app) {
  constexpr std::size_t kLettersMax = 2;
  std::string nearest;
  std::size_t least = std::min(kLettersMax + 1, word.size());
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::size_t letters = difference(word, command->get_name());
    if (letters >= least) continue;
    least = letters;
    nearest = command->get_name();
  }
  return nearest.empty() ? "" : fmt::format("Did you mean `tandem {}`? ", nearest);
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
  take_verbatim(app);
  try {
    app.parse(verbatim_arguments(argc, argv));
  } catch (const CLI::Success& asked) {
    std::ostringstream text;  // Help, or the version.
    app.exit(asked, text, text);
    action = [text = text.str()] { return print(text); };
  } catch (const CLI::ParseError& error) {
    std::string message = error.what();
    std::erase(message, kVerbatim);
    note(message);
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    const std::string meant = chosen.empty() && argc > 1 ? suggestion_for(argv[1], app) : "";
    print_to_stderr(
        fmt::format("{}Try `tandem help{}`.\n", meant, chosen.empty() ? "" : " " + chosen.back()->get_name()));
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
