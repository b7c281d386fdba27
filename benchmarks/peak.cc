// What this machine can do at most, so that a benchmark can say what fraction of it was used.
//
//   g++ -O2 -std=c++20 -pthread peak.cc -o peak && ./peak 2
//   {"threads": 2, "f32_gflops": 230.1, "bf16_gflops": 460.0, "int8_gops": 920.3, "read_gbps": 30.2}
//
// Arithmetic runs in registers alone: independent chains of one instruction (vfmadd; vdpbf16ps and vpdpbusd, or their
// AMX counterparts tdpbf16ps and tdpbusd), enough of them to hide its latency. A figure is null where the processor
// lacks the instruction. Memory is read once, in order, from buffers far larger than any cache.
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

// Sixteen chains: two instructions a cycle with a latency of up to eight cycles stay busy, and the accumulators and
// operands still fit 32 registers. The AVX2 loop has 16 registers, so twelve.
constexpr int kChains = 16;
constexpr int kChainsAvx2 = 12;
constexpr std::int64_t kIterations = 20'000'000;
constexpr int kRounds = 7;
constexpr std::size_t kReadBytes = std::size_t{512} << 20;

/// The sum of a vector register's lanes, by way of memory: it must depend on each, and speed does not matter here.
template <class Lane, class Register>
double sum_lanes(const Register& value) {
  Lane lanes[sizeof(Register) / sizeof(Lane)];
  std::memcpy(lanes, &value, sizeof lanes);
  return std::accumulate(std::begin(lanes), std::end(lanes), 0.0);
}

/// Does a fixed amount of work and returns something that depends on all of it, so that it cannot be left out.
using Work = std::function<double()>;

__attribute__((target("avx512f"))) double fma_avx512() {
  __m512 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  // The fixed point of x * 0.5 + 1 is 2: values stay ordinary numbers however long the loop runs.
  const __m512 factor = _mm512_set1_ps(0.5F);
  const __m512 term = _mm512_set1_ps(1.0F);
  for (std::int64_t n = 0; n < kIterations; ++n) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) sums[i] = _mm512_fmadd_ps(sums[i], factor, term);
  }
  double total = 0;
  for (const __m512& sum : sums) total += sum_lanes<float>(sum);
  return total;
}

__attribute__((target("avx2,fma"))) double fma_avx2() {
  __m256 sums[kChainsAvx2];
  for (int i = 0; i < kChainsAvx2; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 factor = _mm256_set1_ps(0.5F);
  const __m256 term = _mm256_set1_ps(1.0F);
  for (std::int64_t n = 0; n < kIterations; ++n) {
#pragma GCC unroll 12
    for (int i = 0; i < kChainsAvx2; ++i) sums[i] = _mm256_fmadd_ps(sums[i], factor, term);
  }
  double total = 0;
  for (const __m256& sum : sums) total += sum_lanes<float>(sum);
  return total;
}

__attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16"))) double dot_bf16() {
  __m512 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512bh left = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-3F), _mm512_set1_ps(-1e-3F));
  const __m512bh right = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-3F), _mm512_set1_ps(1e-3F));
  for (std::int64_t n = 0; n < kIterations; ++n) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) sums[i] = _mm512_dpbf16_ps(sums[i], left, right);
  }
  double total = 0;
  for (const __m512& sum : sums) total += sum_lanes<float>(sum);
  return total;
}

__attribute__((target("avx512f,avx512vnni"))) double dot_int8() {
  __m512i sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_epi32(i);
  const __m512i left = _mm512_set1_epi8(3);
  const __m512i right = _mm512_set1_epi8(-2);
  for (std::int64_t n = 0; n < kIterations; ++n) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) sums[i] = _mm512_dpbusd_epi32(sums[i], left, right);
  }
  double total = 0;
  for (const __m512i& sum : sums) total += sum_lanes<std::int32_t>(sum);
  return total;
}

/// Whether there is a matrix unit, and Linux lets this process use its registers.
bool has_amx() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  constexpr unsigned kBf16TileInt8 = 1U << 22 | 1U << 24 | 1U << 25;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (edx & kBf16TileInt8) != kBf16TileInt8) return false;
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

/// Eight tiles of 16 rows of 64 bytes, all zero.
struct alignas(64) TileShapes {
  std::uint8_t palette = 1;
  std::uint8_t reserved[15] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Six chains, each of its own tile of sums, with one tile of rows and one of weights.
constexpr int kTileChains = 6;
constexpr std::int64_t kTileIterations = 2'000'000;

__attribute__((target("amx-tile,amx-bf16"))) double tiles_bf16() {
  const TileShapes shapes;
  asm volatile("ldtilecfg %0" ::"m"(shapes));  // GCC 12's own macro names the first eight bytes only.
  for (std::int64_t n = 0; n < kTileIterations; ++n) {
    _tile_dpbf16ps(0, 6, 7);
    _tile_dpbf16ps(1, 6, 7);
    _tile_dpbf16ps(2, 6, 7);
    _tile_dpbf16ps(3, 6, 7);
    _tile_dpbf16ps(4, 6, 7);
    _tile_dpbf16ps(5, 6, 7);
  }
  _tile_release();
  return 0;
}

__attribute__((target("amx-tile,amx-int8"))) double tiles_int8() {
  const TileShapes shapes;
  asm volatile("ldtilecfg %0" ::"m"(shapes));  // GCC 12's own macro names the first eight bytes only.
  for (std::int64_t n = 0; n < kTileIterations; ++n) {
    _tile_dpbusd(0, 6, 7);
    _tile_dpbusd(1, 6, 7);
    _tile_dpbusd(2, 6, 7);
    _tile_dpbusd(3, 6, 7);
    _tile_dpbusd(4, 6, 7);
    _tile_dpbusd(5, 6, 7);
  }
  _tile_release();
  return 0;
}

/// Plain loads, which the compiler turns into the widest vectors of the baseline: the memory is slower than any.
double read_memory(const std::vector<std::uint64_t>& words) {
  std::uint64_t sums[8] = {};
  for (std::size_t i = 0; i + 8 <= words.size(); i += 8) {
    for (std::size_t j = 0; j < 8; ++j) sums[j] ^= words[i + j];
  }
  std::uint64_t total = 0;
  for (const std::uint64_t sum : sums) total ^= sum;
  return static_cast<double>(total);
}

/// The best of several rounds in which every thread does its `work` once, all starting together; in seconds.
double best_seconds(const std::vector<Work>& work) {
  using Clock = std::chrono::steady_clock;
  double best = 1e30;
  for (int round = 0; round < kRounds; ++round) {
    std::barrier start(static_cast<std::ptrdiff_t>(work.size()) + 1);
    std::vector<double> results(work.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < work.size(); ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        results[i] = work[i]();
      });
    }
    start.arrive_and_wait();
    const Clock::time_point begin = Clock::now();
    for (std::thread& thread : threads) thread.join();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
    if (!std::ranges::all_of(results, [](double result) { return std::isfinite(result); })) std::abort();
  }
  return best;
}

/// Thousand millions a second, when each of `threads` threads does `count_per_thread` things in `work`.
double giga_per_second(std::size_t threads, double count_per_thread, const Work& work) {
  return count_per_thread * static_cast<double>(threads) / best_seconds(std::vector<Work>(threads, work)) * 1e-9;
}

std::string number_or_null(std::optional<double> value) {
  if (!value) return "null";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", *value);
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads_asked = argc > 1 ? std::atoi(argv[1]) : static_cast<int>(std::thread::hardware_concurrency());
  if (threads_asked < 1 || threads_asked > 1024) {
    std::fprintf(stderr, "usage: peak [THREADS]\n");
    return 2;
  }
  const auto threads = static_cast<std::size_t>(threads_asked);
  const auto iterations = static_cast<double>(kIterations);

  std::optional<double> f32;
  std::optional<double> bf16;
  std::optional<double> int8;
  // Operations per instruction: lanes times the products of a lane, each with its addition.
  if (__builtin_cpu_supports("avx512f")) {
    f32 = giga_per_second(threads, iterations * kChains * 16 * 2, fma_avx512);
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    f32 = giga_per_second(threads, iterations * kChainsAvx2 * 8 * 2, fma_avx2);
  }
  const bool amx = has_amx();
  const auto tile_products = static_cast<double>(kTileIterations * kTileChains) * 16 * 16;
  if (amx) {
    bf16 = giga_per_second(threads, tile_products * 32 * 2, tiles_bf16);
    int8 = giga_per_second(threads, tile_products * 64 * 2, tiles_int8);
  } else if (__builtin_cpu_supports("avx512bf16")) {
    bf16 = giga_per_second(threads, iterations * kChains * 32 * 2, dot_bf16);
  }
  if (!amx && __builtin_cpu_supports("avx512vnni")) {
    int8 = giga_per_second(threads, iterations * kChains * 64 * 2, dot_int8);
  }

  // Written by hand, so that no two pages are the kernel's one zero page, which would be read from the cache.
  std::vector<std::vector<std::uint64_t>> buffers;
  for (std::size_t i = 0; i < threads; ++i) {
    std::vector<std::uint64_t>& buffer = buffers.emplace_back(kReadBytes / sizeof(std::uint64_t));
    for (std::size_t j = 0; j < buffer.size(); ++j) buffer[j] = i + j;
  }
  std::vector<Work> readers;
  for (const auto& buffer : buffers) readers.emplace_back([&buffer] { return read_memory(buffer); });
  const double read_gbps = static_cast<double>(kReadBytes * threads) / best_seconds(readers) * 1e-9;

  std::printf("{\"threads\": %zu, \"f32_gflops\": %s, \"bf16_gflops\": %s, \"int8_gops\": %s, \"read_gbps\": %.1f}\n",
              threads, number_or_null(f32).c_str(), number_or_null(bf16).c_str(), number_or_null(int8).c_str(),
              read_gbps);
  return 0;
}
