#include "hub/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "base/call.h"
#include "base/error.h"
#include "base/file.h"
#include "base/scratch_folder.h"
#include "hub/environment.h"

extern char** environ;  // POSIX leaves its declaration to the program.

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kOutputBytesKept = 4096;
constexpr std::chrono::milliseconds kWait(50);
constexpr int kNotStarted = 127;
constexpr const char* kUsualPath = "/usr/local/bin:/usr/bin:/bin";

/// What the program gets of the environment, beside PATH. Whatever else there is can make a program load code
/// (LD_PRELOAD, PYTHONPATH, BASH_ENV …) and is of no use to it.
constexpr std::array<std::string_view, 24> kVariablesKept = {
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LANGUAGE",
    "TZ",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "NETRC",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NIX_SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
};
constexpr std::array<std::string_view, 2> kPrefixesKept = {"PIP_", "LC_"};

std::vector<std::string> absolute_path_entries() {
  std::string path = environment_variable("PATH");
  if (path.empty()) path = kUsualPath;
  std::vector<std::string> entries;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    if (path[begin] == '/') entries.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return entries;
}

std::optional<std::string> find_program(const std::vector<std::string>& folders, const std::string& name) {
  for (const std::string& folder : folders) {
    std::string path = folder + "/" + name;
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) && ::access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

/// "NAME=value" of each variable that the program gets.
std::vector<std::string> environment_for(const std::vector<std::string>& path_entries, const fs::path& folder) {
  std::string path;
  for (const std::string& entry : path_entries) path += (path.empty() ? "" : ":") + entry;
  std::vector<std::string> variables = {"PATH=" + path, "TMPDIR=" + folder.string()};
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view variable = *each;
    const std::string_view name = variable.substr(0, variable.find('='));
    if (std::ranges::find(kVariablesKept, name) != kVariablesKept.end() ||
        std::ranges::any_of(kPrefixesKept, [&](std::string_view prefix) { return name.starts_with(prefix); })) {
      variables.emplace_back(variable);
    }
  }
  return variables;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// Everything that the child needs, made before it exists: between fork() and execve() it may not allocate.
struct ChildPlan {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* folder;
  rlimit file_size;
  pid_t parent;
  int input;
  int output;
};

[[noreturn]] void become_program(const ChildPlan& plan) {
  const bool is_ready = ::chdir(plan.folder) == 0 && ::setrlimit(RLIMIT_FSIZE, &plan.file_size) == 0 &&
                        ::dup2(plan.input, STDIN_FILENO) >= 0 && ::dup2(plan.output, STDOUT_FILENO) >= 0 &&
                        ::dup2(plan.output, STDERR_FILENO) >= 0;
  if (is_ready) ::execve(plan.program, plan.arguments, plan.environment);
  ::_exit(kNotStarted);
}

void end_group(int) { ::kill(0, SIGKILL); }

/// The process between this one and the program, which often is a script that starts another one: when this process
/// dies, all of them do. Ends with the program's status.
[[noreturn]] void supervise(const ChildPlan& plan) {
  // A session of its own is a process group that can be ended as a whole, and has no terminal to ask anything on.
  ::setsid();
  struct sigaction on_term {};
  on_term.sa_handler = end_group;
  ::sigaction(SIGTERM, &on_term, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || ::getppid() != plan.parent) ::_exit(kNotStarted);
  const pid_t program = ::fork();
  if (program < 0) ::_exit(kNotStarted);
  if (program == 0) become_program(plan);
  int status = 0;
  while (::waitpid(program, &status, 0) < 0 && errno == EINTR) continue;
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/// Appends what can be read without waiting for long, and forgets all but the end.
void read_output(int pipe, std::chrono::milliseconds wait, std::string& output) {
  pollfd ready{.fd = pipe, .events = POLLIN, .revents = 0};
  if (::poll(&ready, 1, static_cast<int>(wait.count())) <= 0) return;
  std::array<char, 1 << 16> buffer;
  const ssize_t bytes = ::read(pipe, buffer.data(), buffer.size());
  if (bytes <= 0) {
    // The program has closed its output and goes on: poll() would return at once from now on.
    if (wait.count() > 0) ::poll(nullptr, 0, static_cast<int>(wait.count()));
    return;
  }
  output.append(buffer.data(), static_cast<std::size_t>(bytes));
  if (output.size() > kOutputBytesKept) output.erase(0, output.size() - kOutputBytesKept);
}

}  // namespace

Result<ProgramResult> run_program(const ProgramCall& call) {
  const std::string& name = call.arguments.front();
  const std::vector<std::string> path_entries = absolute_path_entries();
  const std::optional<std::string> program = find_program(path_entries, name);
  if (!program) return fail(ErrorCode::kNotFound, "{}: no such program in the absolute entries of PATH", name);
  ASSIGN_OR_RETURN(const ScratchFolder folder, ScratchFolder::create_in(call.scratch, "run"));
  const std::vector<std::string> environment = environment_for(path_entries, folder.path());
  const std::vector<char*> environment_pointers = pointers_to(environment);
  const std::vector<char*> argument_pointers = pointers_to(call.arguments);

  ASSIGN_OR_RETURN(const FileDescriptor input, FileDescriptor::open("/dev/null", O_RDONLY));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno(errno, "cannot make a pipe for", name);
  const FileDescriptor read_end(ends[0]);
  FileDescriptor write_end(ends[1]);
  const ChildPlan plan{.program = program->c_str(),
                       .arguments = argument_pointers.data(),
                       .environment = environment_pointers.data(),
                       .folder = folder.path().c_str(),
                       .file_size = {call.file_bytes_max, call.file_bytes_max},
                       .parent = ::getpid(),
                       .input = input.get(),
                       .output = write_end.get()};
  const pid_t child = ::fork();
  if (child < 0) return fail_errno(errno, "cannot run", *program);
  if (child == 0) supervise(plan);
  write_end = FileDescriptor();

  ProgramResult result;
  const auto deadline = std::chrono::steady_clock::now() + call.time_max;
  bool is_late = false;
  Status goes_on;
  for (;;) {
    siginfo_t ended{};
    // WNOWAIT: as long as the child has not been waited for, the number of its group is nobody else's.
    if (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 && errno != EINTR) {
      return fail_errno(errno, "cannot wait for", *program);
    }
    is_late = ended.si_pid == 0 && std::chrono::steady_clock::now() >= deadline;
    goes_on = check_call(call.call);
    if (ended.si_pid == child || is_late || !goes_on) break;
    if (call.on_wait) call.on_wait();
    read_output(read_end.get(), kWait, result.output);
  }
  ::kill(-child, SIGKILL);
  // Before its first instruction the child has no group yet.
  if (is_late || !goes_on) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  // What fits into a pipe is all that can still be in it.
  for (int i = 0; i < 16; ++i) read_output(read_end.get(), std::chrono::milliseconds(0), result.output);
  while (result.output.ends_with('\n')) result.output.pop_back();
  if (!goes_on) return tl::unexpected(goes_on.error());
  if (is_late) {
    return fail(ErrorCode::kIo, "{}: has not ended after {} s and was stopped:\n{}", *program,
                std::chrono::duration_cast<std::chrono::seconds>(call.time_max).count(), result.output);
  }
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);  // Whoever ended the supervisor.
  return result;
}

}  // namespace tandem
