// Where batches of tokens become vectors and scores: on the processor (cpu_backend.h), or on what else there will be.
// Hidden states stay behind this interface, but for those that are asked for.
#pragma once

#include <cstddef>
#include <memory>

#include "model/token_batch.h"
#include "tandem/call.h"
#include "tandem/matrix.h"
#include "tandem/result.h"

namespace tandem {

/// What is read of a batch's hidden states.
enum class ReadOut {
  kRows,    ///< What the backend was made for: of each sequence its vector, or the scores of its head.
  kTokens,  ///< The hidden state of each token.
};

struct SessionCall {
  ReadOut read_out = ReadOut::kRows;
  std::size_t skipped = 0;  ///< kRows: tokens at the beginning of every sequence, a prompt's, that do not count.
  const CallOptions& call;  ///< Looked at between layers.
};

/// Memory in which one batch at a time is computed. Not thread-safe.
class EncoderSession {
 public:
  virtual ~EncoderSession() = default;

  /// [sequences, columns()], or for kTokens [tokens, hidden size]. It lives until the next call. A sequence's rows have
  /// the same bits in any batch. Errors: those of the call.
  virtual Result<MatrixView> run(const TokenBatch& batch, const SessionCall& call) = 0;
};

/// Thread-safe: each thread has a session of its own.
class EncoderBackend {
 public:
  virtual ~EncoderBackend() = default;

  /// Of a row of kRows.
  virtual std::size_t columns() const = 0;
  /// What batches point into.
  virtual TokenTables tables() const = 0;
  /// How many tokens a session computes together at its best.
  virtual std::size_t batch_tokens() const = 0;
  /// Ends before the backend does.
  virtual std::unique_ptr<EncoderSession> make_session() const = 0;
};

}  // namespace tandem
