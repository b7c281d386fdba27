#include "kernels/denormals.h"

namespace tandem {
namespace {

std::uint64_t read_fpcr() {
  std::uint64_t value;
  asm volatile("mrs %0, fpcr" : "=r"(value));
  return value;
}

// With "memory", so that nothing is computed on the other side of it that is stored on this one.
void write_fpcr(std::uint64_t value) { asm volatile("msr fpcr, %0" ::"r"(value) : "memory"); }

// FZ, which flushes what instructions read as well as what they write (Arm Architecture Reference Manual, FPCR).
constexpr std::uint64_t kFlushToZero = std::uint64_t{1} << 24;

}  // namespace

DenormalsAreZero::DenormalsAreZero() : previous_(read_fpcr()) { write_fpcr(previous_ | kFlushToZero); }
DenormalsAreZero::~DenormalsAreZero() { write_fpcr(previous_); }

}  // namespace tandem
