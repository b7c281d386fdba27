#include "base/checksum.h"

#include <xxhash.h>

#include <new>

namespace tandem {

std::uint64_t checksum(std::span<const std::byte> bytes) { return ::XXH3_64bits(bytes.data(), bytes.size()); }

struct Checksum::State {
  State() : state(::XXH3_createState()) {
    if (state == nullptr) throw std::bad_alloc();
    ::XXH3_64bits_reset(state);
  }
  ~State() { ::XXH3_freeState(state); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  XXH3_state_t* state;
};

Checksum::Checksum() : state_(std::make_unique<State>()) {}
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum& Checksum::operator=(Checksum&&) noexcept = default;
Checksum::~Checksum() = default;

void Checksum::update(std::span<const std::byte> bytes) {
  ::XXH3_64bits_update(state_->state, bytes.data(), bytes.size());
}

std::uint64_t Checksum::take() {
  const std::uint64_t result = ::XXH3_64bits_digest(state_->state);
  ::XXH3_64bits_reset(state_->state);
  return result;
}

}  // namespace tandem
