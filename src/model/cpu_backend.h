// The encoder on the processor's kernels.
#pragma once

#include <memory>
#include <variant>

#include "model/encoder.h"
#include "model/encoder_backend.h"
#include "model/head.h"
#include "model/text_vector.h"

namespace tandem {

/// `read_out`: what kRows gives. What the encoder borrows must outlive the backend.
std::unique_ptr<EncoderBackend> make_cpu_backend(Encoder encoder, std::variant<TextVector, Head> read_out);

}  // namespace tandem
