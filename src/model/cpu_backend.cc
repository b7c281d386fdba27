#include "model/cpu_backend.h"

#include <algorithm>
#include <utility>

#include "base/aligned_buffer.h"
#include "base/error.h"

namespace tandem {
namespace {

// Rows of a batch. Every batch walks through all weights once, which matters less the more rows it has; many more push
// what lies between the matrix products out of the second cache level (see docs/decisions/kernels.md).
constexpr std::size_t kBatchTokens = 256;
// From this width on a layer has so many weights that walking through them half as often is worth more.
constexpr std::size_t kWideHiddenSize = 768;
constexpr std::size_t kWideBatchTokens = 512;

class CpuBackend : public EncoderBackend {
 public:
  CpuBackend(Encoder encoder, std::variant<TextVector, Head> read_out)
      : encoder_(std::move(encoder)), read_out_(std::move(read_out)) {}

  std::size_t columns() const override {
    return std::visit([](const auto& read_out) { return read_out.columns(); }, read_out_);
  }

  TokenTables tables() const override { return encoder_.spec().tables(); }

  std::size_t batch_tokens() const override {
    const EncoderSpec& spec = encoder_.spec();
    return batch_rows(std::max(spec.hidden_size, spec.embedding_size),
                      spec.hidden_size < kWideHiddenSize ? kBatchTokens : kWideBatchTokens);
  }

  std::unique_ptr<EncoderSession> make_session() const override;

 private:
  class Session;

  Encoder encoder_;
  std::variant<TextVector, Head> read_out_;
};

class CpuBackend::Session : public EncoderSession {
 public:
  explicit Session(const CpuBackend& backend) : backend_(backend) {}

  Result<MatrixView> run(const TokenBatch& batch, const SessionCall& call) override {
    const HiddenRows needed = rows_needed(call);
    ASSIGN_OR_RETURN(const MatrixView hidden, backend_.encoder_.forward(batch, needed, workspace_, call.call));
    if (call.read_out == ReadOut::kTokens) return hidden;
    const std::size_t columns = backend_.columns();
    rows_.reserve(batch.sequences() * columns);
    for (std::size_t sequence = 0; sequence < batch.sequences(); ++sequence) {
      const std::size_t first = needed == HiddenRows::kAll ? batch.offsets[sequence] : sequence;
      const std::size_t count = needed == HiddenRows::kAll ? batch.offsets[sequence + 1] - first : 1;
      const MatrixView own{hidden.data + first * hidden.columns, count, hidden.columns};
      const std::span<float> row(rows_.data() + sequence * columns, columns);
      if (const auto* vector = std::get_if<TextVector>(&backend_.read_out_)) {
        vector->read(own, call.skipped, row);
      } else {
        std::get<Head>(backend_.read_out_).read(own.row(0), row);
      }
    }
    return MatrixView{rows_.data(), batch.sequences(), columns};
  }

 private:
  HiddenRows rows_needed(const SessionCall& call) const {
    if (call.read_out == ReadOut::kTokens) return HiddenRows::kAll;
    const auto* vector = std::get_if<TextVector>(&backend_.read_out_);
    return vector == nullptr || (call.skipped == 0 && vector->reads_first_token()) ? HiddenRows::kFirst
                                                                                   : HiddenRows::kAll;
  }

  const CpuBackend& backend_;
  EncoderWorkspace workspace_;
  AlignedBuffer<float> rows_;
};

std::unique_ptr<EncoderSession> CpuBackend::make_session() const { return std::make_unique<Session>(*this); }

}  // namespace

std::unique_ptr<EncoderBackend> make_cpu_backend(Encoder encoder, std::variant<TextVector, Head> read_out) {
  return std::make_unique<CpuBackend>(std::move(encoder), std::move(read_out));
}

}  // namespace tandem
