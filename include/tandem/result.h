// How every fallible call of Tandem reports: a value, or an Error that a person can act on.
//
//   tandem::Result<tandem::BiEncoder> model = tandem::BiEncoder::open("models/all-MiniLM-L6-v2");
//   if (!model) { std::cerr << model.error().message << '\n'; return 1; }
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace tandem {

/// The kind of a failure, for programs. People read Error::message.
enum class ErrorCode {
  kInvalidArgument,    ///< The caller asked for something that makes no sense.
  kNotFound,           ///< A file, model, document or name does not exist.
  kUnsupported,        ///< Well formed, but an architecture, module or format that Tandem does not run.
  kCorruptData,        ///< A file contradicts its format or itself.
  kConflict,           ///< Two things that must agree do not: a collection and a model, two equal ids.
  kPermission,         ///< The operating system refused access.
  kNoSpace,            ///< The disk or a quota is full.
  kCancelled,          ///< The caller said stop.
  kDeadlineExceeded,   ///< The caller's time is over.
  kResourceExhausted,  ///< There is no room for more now, such as in a queue: it may go later.
  kNetwork,            ///< A server could not be reached, or answered with an error.
  kIo,                 ///< Any other failure of the operating system.
};

/// A failure: what, where, what was expected and what was found.
struct Error {
  ErrorCode code;
  std::string message;
};

/// A value or an Error, used as tl::expected is: https://tl.tartanllama.xyz/en/latest/api/expected.html. Not to look at
/// one is a mistake that the compiler finds.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Expected = tl::expected<T, Error>;
  using Expected::Expected;
  Result(Expected expected) : Expected(std::move(expected)) {}
};

/// Success, or an Error.
using Status = Result<void>;

}  // namespace tandem
