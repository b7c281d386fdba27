// Our matrix products beside oneDNN's, on the 24 matrices of all-MiniLM-L6-v2, one worker per thread, each on its own
// block of rows: what docs/decisions/kernels.md quotes.
//
//   cmake --preset release -DTANDEM_BENCHMARKS=ON && ninja -C build/release matmul_benchmark
//   OMP_NUM_THREADS=1 build/release/bin/matmul_benchmark [THREADS]
//
// Needs libdnnl-dev. Both sides add a bias and write f32 (int8: ours f32, theirs the s32 sums, which still have to be
// scaled), take turns within the same second, and the best of five turns counts.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <dnnl.hpp>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/encoder_kernels.h"

namespace tandem {
namespace {

struct Shape {
  std::size_t k;
  std::size_t n;
};
constexpr Shape kLayer[] = {{384, 1152}, {384, 384}, {384, 1536}, {1536, 384}};
constexpr std::size_t kLayers = 6;

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Something that takes `m` rows through every matrix once.
using Walk = std::function<void()>;

struct Data {
  AlignedBuffer<float> rows;  // Bytes of any type: all are read as the type that is measured.
  AlignedBuffer<float> out;
  std::vector<float> bias = std::vector<float>(1536, 0.1F);
  std::vector<float> scales = std::vector<float>(1536, 0.01F);
  std::vector<std::int32_t> sums = std::vector<std::int32_t>(1536, 3);
  std::vector<RowQuantization> quantization;

  Data(GemmType type, std::size_t m) : rows(m * 1536), out(m * 1536), quantization(m, {0.1F, 7}) {
    std::mt19937 random(1);
    for (std::size_t i = 0; i < m * 1536; ++i) {
      const auto value = static_cast<float>(random() % 1000) / 1000.0F;
      if (type == GemmType::kF32) rows.data()[i] = value;
      if (type == GemmType::kBf16)
        reinterpret_cast<Bf16*>(rows.data())[i] = static_cast<Bf16>(0x3F00U + random() % 128U);
      if (type == GemmType::kInt8)
        reinterpret_cast<std::uint8_t*>(rows.data())[i] = static_cast<std::uint8_t>(random());
    }
  }
};

Walk ours(GemmType type, std::size_t m, std::shared_ptr<Data> data) {
  const EncoderKernels& kernels = encoder_kernels_for(detect_isa());
  auto panels = std::make_shared<std::vector<AlignedBuffer<std::uint8_t>>>();
  std::mt19937 random(2);
  std::vector<float> weights(1536 * 1536);
  for (float& weight : weights) weight = static_cast<float>(random() % 2000) / 1000.0F - 1.0F;
  std::vector<std::int8_t> bytes(weights.size());
  for (auto& byte : bytes) byte = static_cast<std::int8_t>(static_cast<int>(random() % 255U) - 127);
  for (std::size_t layer = 0; layer < kLayers; ++layer) {
    for (const Shape& shape : kLayer) {
      AlignedBuffer<std::uint8_t> packed(kernels.packed_bytes(type, shape.k, shape.n));
      if (type == GemmType::kF32)
        kernels.pack_f32(weights.data(), shape.k, shape.n, reinterpret_cast<float*>(packed.data()));
      if (type == GemmType::kBf16)
        kernels.pack_bf16(weights.data(), shape.k, shape.n, reinterpret_cast<Bf16*>(packed.data()));
      if (type == GemmType::kInt8)
        kernels.pack_int8(bytes.data(), shape.k, shape.n, reinterpret_cast<std::int8_t*>(packed.data()));
      panels->push_back(std::move(packed));
    }
  }
  return [=, &kernels] {
    for (std::size_t index = 0; index < panels->size(); ++index) {
      const Shape& shape = kLayer[index % std::size(kLayer)];
      const GemmArguments arguments{
          .a = data->rows.data(),
          .a_stride = shape.k,
          .m = m,
          .weights = {(*panels)[index].data(), shape.k, shape.n, data->scales.data(), data->sums.data()},
          .bias = data->bias.data(),
          .rows = data->quantization.data(),
          .pointwise = Pointwise::kNone,
          .out = data->out.data(),
          .out_bf16 = nullptr,
          .out_stride = shape.n};
      if (type == GemmType::kF32) kernels.gemm_f32(arguments);
      if (type == GemmType::kBf16) kernels.gemm_bf16(arguments);
      if (type == GemmType::kInt8) kernels.gemm_int8(arguments);
    }
  };
}

Walk onednn(GemmType type, std::size_t m, std::shared_ptr<Data> data) {
  using dnnl::memory;
  auto engine = std::make_shared<dnnl::engine>(dnnl::engine::kind::cpu, 0);
  auto stream = std::make_shared<dnnl::stream>(*engine);
  const auto a_type = type == GemmType::kF32    ? memory::data_type::f32
                      : type == GemmType::kBf16 ? memory::data_type::bf16
                                                : memory::data_type::u8;
  const auto b_type = type == GemmType::kInt8 ? memory::data_type::s8 : a_type;
  const auto c_type = type == GemmType::kInt8 ? memory::data_type::s32 : memory::data_type::f32;
  struct Step {
    dnnl::matmul primitive;
    std::unordered_map<int, memory> arguments;
  };
  auto steps = std::make_shared<std::vector<Step>>();
  auto owned = std::make_shared<std::vector<memory>>();
  for (std::size_t index = 0; index < kLayers * std::size(kLayer); ++index) {
    const Shape& shape = kLayer[index % std::size(kLayer)];
    const memory::dims a_dims{static_cast<long>(m), static_cast<long>(shape.k)};
    const memory::dims b_dims{static_cast<long>(shape.k), static_cast<long>(shape.n)};
    const memory::dims c_dims{static_cast<long>(m), static_cast<long>(shape.n)};
    const memory::desc a(a_dims, a_type, memory::format_tag::ab);
    const memory::desc b(b_dims, b_type, memory::format_tag::any);
    const memory::desc c(c_dims, c_type, memory::format_tag::ab);
    const memory::desc bias({1, static_cast<long>(shape.n)}, memory::data_type::f32, memory::format_tag::ab);
    const bool with_bias = type != GemmType::kInt8;
    const dnnl::matmul::primitive_desc description(
        with_bias ? dnnl::matmul::desc(a, b, bias, c) : dnnl::matmul::desc(a, b, c), *engine);
    memory weights(description.weights_desc(), *engine);
    // Ordinary numbers of the type: bytes that make denormals cost a hundred cycles each.
    void* values = weights.get_data_handle();
    const std::size_t bytes = description.weights_desc().get_size();
    for (std::size_t i = 0; type == GemmType::kF32 && i < bytes / sizeof(float); ++i)
      static_cast<float*>(values)[i] = static_cast<float>(i * 7 % 61) / 61.0F;
    for (std::size_t i = 0; type == GemmType::kBf16 && i < bytes / sizeof(Bf16); ++i)
      static_cast<Bf16*>(values)[i] = static_cast<Bf16>(0x3F00U + i * 7 % 61);
    for (std::size_t i = 0; type == GemmType::kInt8 && i < bytes; ++i)
      static_cast<std::int8_t*>(values)[i] = static_cast<std::int8_t>(i * 7 % 61);
    std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, memory(a, *engine, data->rows.data())},
                                              {DNNL_ARG_WEIGHTS, weights},
                                              {DNNL_ARG_DST, memory(c, *engine, data->out.data())}};
    if (with_bias) arguments.insert({DNNL_ARG_BIAS, memory(bias, *engine, data->bias.data())});
    steps->push_back({dnnl::matmul(description), std::move(arguments)});
  }
  return [=] {
    for (Step& step : *steps) step.primitive.execute(*stream, step.arguments);
    stream->wait();
  };
}

/// The rate of all threads together, in 10⁹ operations a second, best of five turns of a fifth of a second.
double rate(std::size_t threads, std::size_t m, const std::vector<Walk>& walks) {
  double operations = 0;
  for (const Shape& shape : kLayer) operations += 2.0 * kLayers * static_cast<double>(m * shape.k * shape.n);
  double best = 0;
  for (int turn = 0; turn < 5; ++turn) {
    std::vector<double> rates(threads);
    std::vector<std::thread> workers;
    for (std::size_t worker = 0; worker < threads; ++worker) {
      workers.emplace_back([&, worker] {
        const double begin = seconds();
        std::size_t walked = 0;
        double now = begin;
        for (; now - begin < 0.2; now = seconds(), ++walked) walks[worker]();
        rates[worker] = static_cast<double>(walked) * operations / (now - begin) / 1e9;
      });
    }
    for (std::thread& worker : workers) worker.join();
    double sum = 0;
    for (const double one : rates) sum += one;
    best = std::max(best, sum);
  }
  return best;
}

}  // namespace
}  // namespace tandem

int main(int argc, char** argv) {
  using namespace tandem;
  const std::size_t threads =
      argc > 1 ? static_cast<std::size_t>(std::atoi(argv[1])) : std::thread::hardware_concurrency();
  std::printf("%zu threads, %s\n%6s %5s %10s %10s %7s\n", threads, isa_name(detect_isa()).data(), "type", "rows",
              "ours", "oneDNN", "ratio");
  for (const GemmType type : {GemmType::kF32, GemmType::kBf16, GemmType::kInt8}) {
    for (const std::size_t m : {9, 16, 32, 64, 96, 128, 256}) {
      std::vector<Walk> our_walks;
      std::vector<Walk> their_walks;
      for (std::size_t worker = 0; worker < threads; ++worker) {
        auto data = std::make_shared<Data>(type, m);
        our_walks.push_back(ours(type, m, data));
        their_walks.push_back(onednn(type, m, data));
      }
      const double our_rate = rate(threads, m, our_walks);
      const double their_rate = rate(threads, m, their_walks);
      std::printf("%6s %5zu %10.0f %10.0f %7.2f\n",
                  type == GemmType::kF32    ? "f32"
                  : type == GemmType::kBf16 ? "bf16"
                                            : "int8",
                  m, our_rate, their_rate, our_rate / their_rate);
      std::fflush(stdout);
    }
  }
  return 0;
}
