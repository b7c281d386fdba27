// What every encoder lets its caller choose about computing, and what it reports about it.
#pragma once

#include <cstddef>
#include <string>

#include "tandem/choices.h"
#include "tandem/executor.h"

namespace tandem {

struct ComputeOptions {
  Precision precision = Precision::kAuto;
  Executor executor = {};        ///< What it runs on; without another's, one of its own on every processor.
  std::size_t batch_tokens = 0;  ///< Rows that one thread takes through the layers at a time; 0: chosen for the caches.
};

/// What an encoder computes with, after looking at the processor.
struct ComputeInfo {
  Precision precision = Precision::kF32;  ///< Never kAuto.
  std::string isa;                        ///< e.g. "amx"; TANDEM_ISA in the environment forces a lower one.
  std::size_t threads = 0;
  std::string note;  ///< Why the precision is not the one asked for; empty when it is.
};

/// How many texts were longer than the model reads, and what they lost.
struct Truncation {
  std::size_t texts = 0;            ///< Texts (or pairs) seen.
  std::size_t texts_truncated = 0;  ///< Of these, how many lost tokens.
  std::size_t tokens_dropped = 0;   ///< Tokens lost in all.

  Truncation& operator+=(const Truncation& other) {
    texts += other.texts;
    texts_truncated += other.texts_truncated;
    tokens_dropped += other.tokens_dropped;
    return *this;
  }
};

}  // namespace tandem
