#include "terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <thread>

#include "base/controls.h"
#include "base/error.h"
#include "base/utf8.h"

namespace tandem::cli {

namespace {

/// The signal that arrived, or 0. A signal handler can reach nothing but a global.
volatile std::sig_atomic_t interrupt_signal = 0;

/// Where the handler wakes whoever may do more than a handler.
int interrupt_pipe = -1;

void on_interrupt(int signal) {
  interrupt_signal = signal;
  const int error_before = errno;
  static_cast<void>(!::write(interrupt_pipe, "", 1));
  errno = error_before;
}

std::stop_source& stop_source() {
  static std::stop_source source;
  return source;
}

[[noreturn]] void end_by_signal(int signal) {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
  std::_Exit(128 + signal);
}

Status output_failed() {
  if (errno == EPIPE) end_by_signal(SIGPIPE);
  return fail_errno(errno, "cannot write", "standard output");
}

/// Appends one step through a text as it may be shown.
void append_shown(std::string& shown, std::string_view bytes, const Utf8Step& step) {
  if (!step.valid) {
    for (const char byte : bytes)
      fmt::format_to(std::back_inserter(shown), "\\x{:02x}", static_cast<unsigned char>(byte));
  } else if (!acts_unseen(step.code_point)) {
    shown += bytes;
  } else if (step.code_point == '\n') {
    shown += "\\n";
  } else if (step.code_point == '\t') {
    shown += "\\t";
  } else {
    fmt::format_to(std::back_inserter(shown), fmt::runtime(step.code_point < 0x80 ? "\\x{:02x}" : "\\u{{{:x}}}"),
                   static_cast<unsigned>(step.code_point));
  }
}

/// Whether an ASCII text is shown as it is, line feeds and tabs included: most are, and long ones too.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char byte) { return (byte >= ' ' && byte < 0x7F) || byte == '\n' || byte == '\t'; });
}

std::string format_duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::max(seconds, 0.0) + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string format_rate(double per_second, std::string_view unit) {
  if (unit == "bytes") return format_bytes(static_cast<std::uint64_t>(per_second)) + "/s";
  return fmt::format("{:.{}f} {}/s", per_second, per_second < 10 ? 1 : 0, unit);
}

}  // namespace

std::string shown(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    const std::string_view bytes = text.substr(position, step.bytes);
    if (step.code_point == '\n' || step.code_point == '\t') {
      result += bytes;
    } else {
      append_shown(result, bytes, step);
    }
    position += step.bytes;
  }
  return result;
}

std::string shown_field(std::string_view text) {
  std::string result;
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    append_shown(result, text.substr(position, step.bytes), step);
    position += step.bytes;
  }
  return result;
}

Status print(std::string_view text) {
  std::string escaped;
  if (!is_plain(text)) text = escaped = shown(text);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) return output_failed();
  return {};
}

Status flush_output() {
  // A failure of an earlier flush stays on record in the stream.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return output_failed();
  return {};
}

void note(std::string_view text) {
  std::fflush(stdout);  // What was printed before stands before. flush_output() reports its failure.
  std::string lines = "tandem: ";
  for (const char character : shown(text)) {
    lines += character;
    if (character == '\n') lines += "  ";
  }
  print_to_stderr(lines + "\n");
}

void print_to_stderr(const std::string& text) { static_cast<void>(std::fputs(text.c_str(), stderr)); }

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 120;
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::array kUnits{"bytes", "kB", "MB", "GB", "TB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (amount >= 1000 && unit + 1 < kUnits.size()) {
    amount /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", amount, unit == 0 ? 0 : 1, kUnits[unit]);
}

ProgressBar::ProgressBar() : terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::clear() {
  if (drawn_ && terminal_) print_to_stderr("\r\x1b[K");
  drawn_ = false;
}

void ProgressBar::update(std::string_view what, std::string_view unit, std::uint64_t done,
                         std::optional<double> fraction) {
  if (what != what_) {
    what_ = what;
    done_at_start_ = done;
    since_start_ = Stopwatch();
    next_draw_seconds_ = terminal_ ? 1 : 10;
  }
  const double seconds = since_start_.seconds();
  if (seconds < next_draw_seconds_) return;
  next_draw_seconds_ = seconds + (terminal_ ? 0.1 : 10);

  std::string line = shown_field(what);
  if (done == 0) {
    line += fmt::format(" ({})", format_duration(seconds));
  } else {
    line += unit == "bytes" ? ": " + format_bytes(done) : fmt::format(": {} {}", done, unit);
  }
  if (fraction) {
    const double share = std::clamp(*fraction, 0.0, 1.0);
    if (terminal_) {
      constexpr std::size_t kWidth = 24;
      const auto filled = static_cast<std::size_t>(share * static_cast<double>(kWidth));
      line += fmt::format(" [{:#>{}}{:->{}}]", "", filled, "", kWidth - filled);
    }
    line += fmt::format(" {:.0f} %", share * 100);
  }
  const std::uint64_t done_since = done - std::min(done, done_at_start_);
  if (done_since > 0) line += ", " + format_rate(static_cast<double>(done_since) / seconds, unit);
  if (fraction && *fraction > 0) line += fmt::format(", {} left", format_duration(seconds / *fraction - seconds));
  print_to_stderr(terminal_ ? "\r" + line + "\x1b[K" : line + "\n");
  std::fflush(stderr);
  drawn_ = true;
}

CallOptions ProgressBar::call() {
  return {.progress =
              [this](const Progress& progress) {
                std::optional<double> fraction;
                if (progress.total > 0) {
                  fraction = static_cast<double>(progress.done) / static_cast<double>(progress.total);
                }
                update(progress.what, progress.unit, progress.done, fraction);
              },
          .stop = interrupts()};
}

void defer_interrupts() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;  // Then an interrupt ends the process, as it would have.
  interrupt_pipe = ends[1];
  std::thread([end = ends[0]] {
    char byte = 0;
    while (::read(end, &byte, 1) < 0 && errno == EINTR) {
    }
    stop_source().request_stop();
  }).detach();
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);  // nohup means it.
  }
}

std::stop_token interrupts() { return stop_source().get_token(); }

Status check_interrupt() {
  if (interrupt_signal != 0) return fail(ErrorCode::kIo, "interrupted");
  return {};
}

void obey_interrupt() {
  if (interrupt_signal != 0) end_by_signal(interrupt_signal);
}

}  // namespace tandem::cli
