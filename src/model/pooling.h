// Token vectors to one text vector.
// Reference: sentence-transformers, models/Pooling.py.
#pragma once

#include <span>

#include "tandem/choices.h"
#include "tandem/matrix.h"

namespace tandem {

/// out[hidden.columns] ← the pooled rows, of which the first `skipped` (a prompt's) do not count. `hidden` has all the
/// tokens of a text, or for kCls with nothing skipped at least the first. Nothing left to pool gives zeros.
void pool(MatrixView hidden, std::size_t skipped, Pooling pooling, std::span<float> out);

/// Divides by the Euclidean length, as torch.nn.functional.normalize: by 1e-12 where it is smaller.
void normalize(std::span<float> vector);

}  // namespace tandem
