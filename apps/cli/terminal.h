// What people see while a command works: notes and progress on stderr, results on stdout, and Ctrl-C.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/stopwatch.h"
#include "tandem/call.h"
#include "tandem/result.h"

namespace tandem::cli {

/// What may be shown of a text, most of which comes from elsewhere: files, models, hubs. What a terminal would obey
/// instead of showing it (base/controls.h) becomes an escape, `\x1b` or `\u{202e}`, and each byte that is not UTF-8
/// `\xff`. Line feeds and tabs stay: print(), note() and ProgressBar pass all that they write through this.
std::string shown(std::string_view text);

/// The same for one field of a line or a table, which must not begin another: its line feeds and tabs become `\n` and
/// `\t` too.
std::string shown_field(std::string_view text);

/// Writes a text, or JSON, to standard output, as shown() has it. Ends the process as SIGPIPE does when nobody reads
/// any more. Errors: kNoSpace, kIo.
Status print(std::string_view text);

/// Writes what print() still holds back. Errors as print().
Status flush_output();

/// To standard error, as it is. What cannot be written there is lost: where a log's disk is full, or its reader has
/// gone, the work goes on.
void print_to_stderr(const std::string& text);

/// A line on standard error, "tandem: text", as shown() has it. Further lines of the text are indented, so that none of
/// them looks like another note.
void note(std::string_view text);

/// How wide a line on standard output may be: the terminal's width, 120 where there is none.
std::size_t terminal_columns();

/// "512 bytes", "3.1 MB", "1.2 GB".
std::string format_bytes(std::uint64_t bytes);

/// How far long work has come, on stderr: a line that is redrawn on a terminal, else a plain line every ten seconds.
/// Work that is over within a second shows nothing.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();  ///< Clears what it drew.

  /// `fraction` in [0, 1] of all the work, when that is known.
  void update(std::string_view what, std::string_view unit, std::uint64_t done, std::optional<double> fraction);

  /// Takes what it drew away, until the next update.
  void clear();

  /// For a call whose progress this bar shows, and which ends when an interrupt arrives. Borrows the bar.
  CallOptions call();

  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

 private:
  bool terminal_;
  bool drawn_ = false;
  std::string what_;
  std::uint64_t done_at_start_ = 0;
  Stopwatch since_start_;
  double next_draw_seconds_ = 1;
};

/// From here on, the first Ctrl-C (or SIGTERM, or SIGHUP) only asks for a stop, so that the command can throw away what
/// is half done; a second one ends the process at once. Commands that write files call it, once; for the others the
/// signal's default is right.
void defer_interrupts();

/// Told to stop when an interrupt arrives after defer_interrupts().
std::stop_token interrupts();

/// Success, or an error when an interrupt has arrived. Long loops ask after each batch.
Status check_interrupt();

/// Ends the process as the interrupt that arrived would have, if one has.
void obey_interrupt();

}  // namespace tandem::cli
