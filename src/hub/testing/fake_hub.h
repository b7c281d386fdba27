// Runs tests/hub/fake_hub.py, for tests.
#pragma once

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/testing/temporary_folder.h"
#include "hub/hub_client.h"

extern char** environ;  // POSIX leaves its declaration to the program.

namespace tandem {

/// A hub on this machine that serves models which the test writes, and misbehaves as the test says.
class FakeHub {
 public:
  /// A request that has reached one of the two servers.
  struct Request {
    std::uint64_t port = 0;
    std::string path;
    std::string range;
    std::string authorization;
  };

  FakeHub() {
    int pipe_ends[2];
    CHECK(::pipe(pipe_ends) == 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
    std::string script = TANDEM_SOURCE_DIR "/tests/hub/fake_hub.py";
    std::string root = folder_.path().string();
    std::string python = "python3";
    char* arguments[] = {python.data(), script.data(), root.data(), nullptr};
    CHECK(::posix_spawnp(&process_, "python3", &actions, nullptr, arguments, environ) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe_ends[1]);
    FILE* const output = ::fdopen(pipe_ends[0], "r");
    CHECK(std::fscanf(output, "%d %d", &hub_port_, &storage_port_) == 2);
    std::fclose(output);
  }
  ~FakeHub() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  /// A file of a model: "org/name/config.json".
  void serve(const std::string& file, const std::string& content) { folder_.write(file, content); }
  /// See the script for what may stand there.
  void set_faults(const std::string& json) { folder_.write("faults.json", json); }

  std::string endpoint() const { return fmt::format("http://127.0.0.1:{}", hub_port_); }
  int storage_port() const { return storage_port_; }

  /// Options that do not make tests wait.
  HubOptions options() const {
    HubOptions options;
    options.endpoint = endpoint();
    options.http.connect_timeout_ms = 2'000;
    options.http.stall_timeout_s = 1;
    options.http.attempts_max = 3;
    options.http.retry_wait_ms = 10;
    return options;
  }

  /// Those whose path has `part` in it.
  std::vector<Request> requests(const std::string& part = "") const {
    std::vector<Request> requests;
    std::ifstream log(folder_.path() / "requests.log");
    for (std::string line; std::getline(log, line);) {
      const Result<JsonDocument> document = JsonDocument::parse(line, "requests.log");
      CHECK(document);
      const JsonValue root = document->root();
      Request request;
      request.port = root.get_unsigned("port").value();
      request.path = root.get_string("path").value();
      request.range = root.find_string("range").value().value_or("");
      request.authorization = root.find_string("authorization").value().value_or("");
      if (request.path.find(part) != std::string::npos) requests.push_back(request);
    }
    return requests;
  }

 private:
  TemporaryFolder folder_;
  pid_t process_ = 0;
  int hub_port_ = 0;
  int storage_port_ = 0;
};

/// `bytes` bytes that no compression and no accident makes equal to others.
inline std::string noise(std::size_t bytes, unsigned seed = 1) {
  std::string result(bytes, '\0');
  for (char& character : result) {
    seed = seed * 1664525U + 1013904223U;
    character = static_cast<char>(seed >> 24);
  }
  return result;
}

}  // namespace tandem
