// Shorthand for making and passing on errors inside Tandem.
#pragma once

#include <fmt/core.h>

#include <string>
#include <utility>

#include "tandem/result.h"

namespace tandem {

/// Cuts out the middle of a message that quotes more than anybody reads: files may hold names of megabytes.
std::string shown_message(std::string message);

/// An error with a formatted message: `return fail(ErrorCode::kNotFound, "{}: no such folder", path)`.
template <class... Args>
tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{code, shown_message(fmt::format(format, std::forward<Args>(args)...))});
}

/// Puts "where: " in front of an error's message.
inline tl::unexpected<Error> fail_in(std::string_view where, Error error) {
  error.message.insert(0, fmt::format("{}: ", where));
  return tl::unexpected<Error>(std::move(error));
}

/// The error for a failed system call: errno's text, and a code that tells permission and space apart.
tl::unexpected<Error> fail_errno(int error_number, std::string_view what, std::string_view where);

}  // namespace tandem

#define TANDEM_CONCAT_INNER(a, b) a##b
#define TANDEM_CONCAT(a, b) TANDEM_CONCAT_INNER(a, b)

/// Returns the error of a Status or Result from the enclosing function, if it has one.
#define RETURN_IF_ERROR(expression)                                  \
  do {                                                               \
    auto status_ = (expression);                                     \
    if (!status_) return tl::unexpected(std::move(status_).error()); \
  } while (false)

/// `ASSIGN_OR_RETURN(auto value, compute())`: the value, or the error returned from the enclosing function.
#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_INNER(TANDEM_CONCAT(result_, __LINE__), declaration, expression)
#define ASSIGN_OR_RETURN_INNER(result, declaration, expression)  \
  auto result = (expression);                                    \
  if (!result) return tl::unexpected(std::move(result).error()); \
  declaration = std::move(*result)

/// For programmer errors only: no input may ever trip one.
#define CHECK(condition) ((condition) ? static_cast<void>(0) : ::tandem::check_failed(#condition, __FILE__, __LINE__))

namespace tandem {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}  // namespace tandem
