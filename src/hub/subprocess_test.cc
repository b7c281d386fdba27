#include "hub/subprocess.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/testing/temporary_folder.h"
#include "hub/testing/test_environment.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

class SubprocessTest : public testing::Test {
 protected:
  /// A program of the folder `programs`, which stands first in PATH.
  void write_program(const std::string& name, const std::string& script) {
    write_executable("programs/" + name, script);
    environment_.set("PATH", (folder_.path() / "programs").string() + ":" + path_before_);
  }
  void write_executable(const std::string& name, const std::string& script) {
    const fs::path path = folder_.write(name, "#!/bin/sh\n" + script + "\n");
    CHECK(::chmod(path.c_str(), 0755) == 0);
  }

  Result<ProgramResult> run(std::vector<std::string> arguments) const {
    return run_program({.arguments = std::move(arguments), .scratch = folder_.path()});
  }

  const std::string path_before_ = std::getenv("PATH");
  TemporaryFolder folder_;
  Environment environment_;
};

TEST_F(SubprocessTest, ReturnsTheStatusAndTheEndOfTheOutput) {
  write_program("prog", "echo \"$1\"; echo err >&2; exit 3");
  const Result<ProgramResult> ran = run({"prog", "a  b"});
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_EQ(ran->status, 3);
  EXPECT_EQ(ran->output, "a  b\nerr");
  write_program("prog", "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done");
  const Result<ProgramResult> talked = run({"prog"});
  ASSERT_TRUE(talked) << talked.error().message;
  EXPECT_TRUE(talked->output.ends_with("line 19998\nline 19999"));
  EXPECT_LT(talked->output.size(), 10'000U);
  write_program("prog", "kill -TERM $$");
  EXPECT_EQ(run({"prog"})->status, 128 + SIGTERM);
}

TEST_F(SubprocessTest, LooksOnlyInAbsoluteFoldersOfPath) {
  write_executable("here/prog", "echo hostile");
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path() / "here");
  for (const char* path : {".", "", ":", ":/nowhere", "/nowhere:", "/nowhere::/nothing", "./", "../here"}) {
    environment_.set("PATH", path);
    const Result<ProgramResult> ran = run({"prog"});
    ASSERT_FALSE(ran) << path;
    EXPECT_EQ(ran.error().code, ErrorCode::kNotFound) << path;
  }
  fs::current_path(before);
  // What the program runs is looked up in the same way.
  write_program("outer", "prog");
  environment_.set("PATH", (folder_.path() / "programs").string() + "::.:" + path_before_);
  const Result<ProgramResult> ran = run({"outer"});
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_EQ(ran->status, 127);
}

TEST_F(SubprocessTest, PassesOnOnlyWhatIsNeededOfTheEnvironment) {
  for (const char* name : {"PYTHONPATH", "PYTHONSTARTUP", "LD_PRELOAD_OF_A_TEST", "BASH_ENV", "ENV", "HF_TOKEN"}) {
    environment_.set(name, "hostile");
  }
  for (const char* name : {"PIP_INDEX_URL", "https_proxy", "NO_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"}) {
    environment_.set(name, "needed");
  }
  write_program("prog", "env");
  const Result<ProgramResult> ran = run({"prog"});
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_EQ(ran->output.find("hostile"), std::string::npos) << ran->output;
  for (const char* line : {"PIP_INDEX_URL=needed", "https_proxy=needed", "NO_PROXY=needed", "SSL_CERT_FILE=needed"}) {
    EXPECT_NE(ran->output.find(line), std::string::npos) << line << "\n" << ran->output;
  }
}

TEST_F(SubprocessTest, WorksInAPrivateFolderThatIsRemoved) {
  write_program("prog", "pwd; stat -c %a .; [ \"$TMPDIR\" = \"$(pwd)\" ] || exit 1; touch left");
  const Result<ProgramResult> ran = run({"prog"});
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_EQ(ran->status, 0);
  const std::size_t line_end = ran->output.find('\n');
  EXPECT_EQ(ran->output.substr(line_end + 1), "700");
  const fs::path worked_in = ran->output.substr(0, line_end);
  EXPECT_EQ(worked_in.parent_path(), folder_.path());
  EXPECT_FALSE(fs::exists(worked_in));
}

TEST_F(SubprocessTest, EndsAProgramWhoseTimeIsUpWithAllThatItStarted) {
  const fs::path outlived = folder_.path() / "outlived";
  const std::string child = "(sleep 1; touch '" + outlived.string() + "') &\n";
  for (const char* end : {"echo begun; sleep 300", "exec >&- 2>&-; sleep 300"}) {
    write_program("prog", child + end);
    const auto start = std::chrono::steady_clock::now();
    const Result<ProgramResult> ran =
        run_program({.arguments = {"prog"}, .scratch = folder_.path(), .time_max = std::chrono::milliseconds(300)});
    ASSERT_FALSE(ran) << end;
    EXPECT_EQ(ran.error().code, ErrorCode::kIo);
    EXPECT_NE(ran.error().message.find("was stopped"), std::string::npos) << ran.error().message;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30)) << end;
  }
  write_program("prog", child + "exit 0");
  EXPECT_TRUE(run({"prog"}));
  std::this_thread::sleep_for(std::chrono::milliseconds(1'200));
  EXPECT_FALSE(fs::exists(outlived));
}

TEST_F(SubprocessTest, EndsAProgramWhenItsCallerIsToldToStop) {
  write_program("prog", "sleep 300");
  const auto start = std::chrono::steady_clock::now();
  const CallOptions call{.deadline = start + std::chrono::milliseconds(200)};
  const Result<ProgramResult> ran = run_program({.arguments = {"prog"}, .scratch = folder_.path(), .call = call});
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST_F(SubprocessTest, EndsWithTheProcessThatStartedIt) {
  const fs::path begun = folder_.path() / "begun";
  const fs::path outlived = folder_.path() / "outlived";
  // A script that waits for what it has started, as the shims of version managers do.
  write_program("prog", "touch '" + begun.string() + "'; sh -c \"sleep 1; touch '" + outlived.string() + "'\"; exit 0");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    static_cast<void>(run({"prog"}));
    ::_exit(0);
  }
  for (int i = 0; i < 500 && !fs::exists(begun); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_TRUE(fs::exists(begun));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  EXPECT_FALSE(fs::exists(outlived));
}

TEST_F(SubprocessTest, LimitsTheFilesThatAProgramWrites) {
  write_program("prog", "head -c 3000000 /dev/zero > file || exit 7");
  const Result<ProgramResult> ran = run({"prog"});
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_NE(ran->status, 0);
}

TEST_F(SubprocessTest, SaysThatThereIsNoSuchProgram) {
  const Result<ProgramResult> ran = run({"no-such-program"});
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tandem
