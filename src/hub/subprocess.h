// Runs another program so that neither the folder that Tandem was started in nor most of its environment has a say in
// what runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tandem/call.h"
#include "tandem/result.h"

namespace tandem {

struct ProgramCall {
  /// The program's name, which is looked up in PATH, and its arguments; no shell reads them.
  std::vector<std::string> arguments;
  /// A fresh folder that only this user may enter is made in here, and removed with all that is in it at the end. It is
  /// the program's working folder, and where it puts temporary files.
  std::filesystem::path scratch;
  std::chrono::milliseconds time_max{60'000};  ///< Then the program is ended.
  std::uint64_t file_bytes_max = 1U << 20;     ///< No file that it writes can grow beyond this.
  std::function<void()> on_wait = {};          ///< Called a few times a second.
  CallOptions call = {};                       ///< Ends the program, too; its progress is not reported.
};

struct ProgramResult {
  int status = 0;      ///< Its exit status; 127 when it could not be started, 128 + N when signal N ended it.
  std::string output;  ///< The end of what it wrote to its output and its errors.
};

/// Runs a program to its end, with nothing on its standard input.
///
/// Only absolute entries of PATH count, for the lookup and for the program itself: an empty or a relative one means
/// whatever folder the user happens to be in. Of the environment the program sees what a package installer needs: PATH,
/// HOME, the user's and the locale's names, XDG folders, proxies, certificates, and what starts with PIP_. Nothing that
/// it started outlives it or this process. Errors: kNotFound when there is no such program; kIo, also when its time is
/// up, with the end of its output.
Result<ProgramResult> run_program(const ProgramCall& call);

}  // namespace tandem
