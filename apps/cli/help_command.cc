// tandem help, tandem completion: what the command line says about itself.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "base/error.h"
#include "commands.h"
#include "options.h"
#include "terminal.h"

namespace tandem::cli {

namespace {

// ----------------------------------------------------------------------------------------------------------- help

struct HelpFlags {
  const CLI::App* app = nullptr;
  std::vector<std::string> command;
};

Status run_help(const HelpFlags& flags) {
  const CLI::App* app = flags.app;
  std::string path = app->get_name();
  for (const std::string& name : flags.command) {
    const auto found = app->get_subcommands([&name](const CLI::App* command) { return command->check_name(name); });
    if (found.empty()) return fail(ErrorCode::kInvalidArgument, "there is no command '{}'", name);
    app = found.front();
    path += " " + name;
  }
  // Not app->help(), which explains the command that was given: this one.
  return print(app->get_formatter()->make_help(app, path, CLI::AppFormatMode::Normal));
}

// ----------------------------------------------------------------------------------------------------- completion

enum class Shell { kBash, kZsh, kFish };

struct CompletionFlags {
  const CLI::App* app = nullptr;
  Shell shell = Shell::kBash;
};

struct Word {
  std::string text;
  std::string description;
};

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::vector<Word> commands_of(const CLI::App& app) {
  std::vector<Word> words;
  for (const CLI::App* command : app.get_subcommands({})) {
    words.push_back({command->get_name(), first_line(command->get_description())});
  }
  return words;
}

std::vector<Word> options_of(const CLI::App& command) {
  std::vector<Word> words;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      words.push_back({"--" + name, first_line(option->get_description())});
    }
  }
  return words;
}

std::string join(const std::vector<Word>& words) {
  std::string text;
  for (const Word& word : words) text += (text.empty() ? "" : " ") + word.text;
  return text;
}

/// In single quotes, which no shell looks into.
std::string quote(const std::string& text) {
  std::string quoted = "'";
  for (const char character : text) quoted += character == '\'' ? "'\\''" : std::string(1, character);
  return quoted + "'";
}

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  for (const CLI::App* command : app.get_subcommands({})) {
    std::vector<Word> words = options_of(*command);
    std::ranges::move(commands_of(*command), std::back_inserter(words));
    cases += fmt::format("    {}) words={} ;;\n", command->get_name(), quote(join(words)));
  }
  return fmt::format(
      "_tandem() {{\n"
      "  local words={} current=${{COMP_WORDS[COMP_CWORD]}}\n"
      "  if [ \"$COMP_CWORD\" -gt 1 ]; then\n"
      "    case ${{COMP_WORDS[1]}} in\n"
      "{}"
      "    esac\n"
      "  fi\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "}}\n"
      "complete -o default -F _tandem tandem\n",
      quote(join(commands_of(app))), cases);
}

std::string zsh_completion(const CLI::App& app) {
  const auto described = [](const std::vector<Word>& words) {
    std::string text;
    for (const Word& word : words) text += " " + quote(word.text + ":" + word.description);
    return text;
  };
  std::string cases;
  for (const CLI::App* command : app.get_subcommands({})) {
    std::vector<Word> words = options_of(*command);
    std::ranges::move(commands_of(*command), std::back_inserter(words));
    cases += fmt::format("    {}) choices=({} ) ;;\n", command->get_name(), described(words));
  }
  return fmt::format(
      "#compdef tandem\n"
      "_tandem() {{\n"
      "  local -a choices\n"
      "  if (( CURRENT == 2 )); then\n"
      "    choices=({} )\n"
      "    _describe command choices\n"
      "    return\n"
      "  fi\n"
      "  case $words[2] in\n"
      "{}"
      "  esac\n"
      "  _describe -o option choices\n"
      "  _files\n"
      "}}\n"
      "compdef _tandem tandem\n",
      described(commands_of(app)), cases);
}

std::string fish_completion(const CLI::App& app) {
  std::string lines;
  for (const Word& word : commands_of(app)) {
    lines +=
        fmt::format("complete -c tandem -n __fish_use_subcommand -f -a {} -d {}\n", word.text, quote(word.description));
  }
  for (const CLI::App* command : app.get_subcommands({})) {
    for (const Word& word : options_of(*command)) {
      lines += fmt::format("complete -c tandem -n '__fish_seen_subcommand_from {}' -l {} -d {}\n", command->get_name(),
                           word.text.substr(2), quote(word.description));
    }
    for (const Word& word : commands_of(*command)) {
      lines += fmt::format("complete -c tandem -n '__fish_seen_subcommand_from {}' -a {} -d {}\n", command->get_name(),
                           word.text, quote(word.description));
    }
  }
  return lines;
}

Status run_completion(const CompletionFlags& flags) {
  switch (flags.shell) {
    case Shell::kBash:
      return print(bash_completion(*flags.app));
    case Shell::kZsh:
      return print(zsh_completion(*flags.app));
    case Shell::kFish:
      return print(fish_completion(*flags.app));
  }
  return {};
}

}  // namespace

void add_help(CLI::App& app, Action& action) {
  add_command<HelpFlags>(
      app, action, "help", "Explain a command, with examples",
      [&app](CLI::App& command, HelpFlags& flags) {
        flags.app = &app;
        command.add_option("COMMAND", flags.command, "The command to explain; none: all of them");
      },
      run_help);
}

void add_completion(CLI::App& app, Action& action) {
  CLI::App* command = add_command<CompletionFlags>(
      app, action, "completion", "Print a script that completes tandem's commands and options in a shell",
      [&app](CLI::App& command, CompletionFlags& flags) {
        flags.app = &app;
        add_choice(command, "SHELL", flags.shell,
                   Choices<Shell>{{"bash", Shell::kBash}, {"zsh", Shell::kZsh}, {"fish", Shell::kFish}},
                   "The shell to complete in")
            ->required();
      },
      run_completion);
  command->footer(
      "Example, for the running bash; write the script to a file of your shell's completions to keep it:\n"
      "  eval \"$(tandem completion bash)\"");
}

}  // namespace tandem::cli
