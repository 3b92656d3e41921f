// Micro-benchmarks of the kernels on one thread: weights read in GB/s and multiply-adds in GMAC/s, each also as a part
// of what the machine gives in the same run. Products are measured with weights from memory and, for what waiting for
// it costs, with the same few rows from the cache again and again.
//
//   kernels_bench [level or "all" [format or "attention" [n_cols]]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/kv_page_q8.h"

namespace nt::cpu {
namespace {

constexpr int kValues = 5120;
constexpr size_t kWeightBytes = size_t{192} << 20;  // more than the last cache holds
constexpr int kStretches = 120;                     // of a measurement, of which the best counts
constexpr double kStretchSeconds = 0.0015;

// Any bytes will do: no kernel's time depends on its values.
struct Bytes {
  explicit Bytes(size_t n) : p(static_cast<uint8_t*>(::operator new(n, std::align_val_t(64)))) {
    uint64_t state = 1;
    for (size_t i = 0; i < n; ++i) {
      state = state * 6364136223846793005 + 1442695040888963407;
      p[i] = static_cast<uint8_t>(state >> 56);
    }
  }
  ~Bytes() { ::operator delete(p, std::align_val_t(64)); }
  uint8_t* p;
};

// Calls f(i), i = 0, 1, …, for a while. Returns calls a second in the best stretch, since other programs may use the
// machine too.
template <class F>
double rate(F f) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  int i = 0;
  for (int stretch = 0; stretch < kStretches; ++stretch) {
    const auto start = Clock::now();
    double seconds = 0;
    int calls = 0;
    do {
      f(i++);
      ++calls;
      seconds = std::chrono::duration<double>(Clock::now() - start).count();
    } while (seconds < kStretchSeconds);
    best = std::max(best, calls / seconds);
  }
  return best;
}

struct Limits {
  double bandwidth, dots;  // bytes and multiply-adds a second
};

Limits measure(const Kernels& k, const Bytes& memory) {
  constexpr size_t kPart = 2 << 20;
  uint64_t sink = 1;
  Limits limits = {};
  for (int n_streams : {1, 8}) {
    const double parts =
        rate([&](int i) { sink += k.read_bytes(memory.p + i * kPart % kWeightBytes, kPart, n_streams); });
    limits.bandwidth = std::max(limits.bandwidth, kPart * parts);
  }
  double macs = 0;
  const double calls = rate([&](int) { macs = k.dot_peak(100000, &sink); });
  limits.dots = macs * calls;
  std::printf("%s: reads %.1f GB/s, dots %.0f GMAC/s%s\n", k.name, limits.bandwidth * 1e-9, limits.dots * 1e-9,
              sink ? "" : " ");
  return limits;
}

std::vector<float> random_floats(size_t n) {
  std::vector<float> x(n);
  for (size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i * 2654435761u % 2000) * 1e-3f - 1;
  return x;
}

void bench_matmul(const Kernels& k, const Limits& limits, const Bytes& weights, void* scratch, Format format,
                  int n_cols) {
  const bool quantized = info(format).quantized;
  const std::vector<float> x = random_floats(static_cast<size_t>(n_cols) * kValues);
  std::vector<ActivationChunk> q(static_cast<size_t>(kValues / kChunk) * n_cols);
  for (int c = 0; c < n_cols; ++c)
    k.quantize(&x[static_cast<size_t>(c) * kValues], kValues, activation_block(format), &q[c], n_cols);
  Matmul m = {};
  m.row_bytes = row_bytes(format, kValues);
  m.n_rows = 64;  // that with a column each a second-level cache of 512 KiB holds
  m.rows_apart = wants_rows_apart(k, m);
  m.n_values = kValues;
  m.n_cols = n_cols;
  m.q = q.data();
  m.q_stride = n_cols;
  m.x = x.data();
  m.x_stride = kValues;
  std::vector<float> out(static_cast<size_t>(m.n_rows) * n_cols);
  m.out = out.data();
  m.out_stride = m.n_rows;
  m.scratch = scratch;
  const size_t bytes = m.n_rows * m.row_bytes;
  const double products = static_cast<double>(m.n_rows) * n_cols * kValues;
  const auto kernel = (quantized ? k.matmul : k.matmul_float)[static_cast<int>(format)];
  const auto calls = [&](size_t parts) {
    return rate([&](int i) {
      m.rows = weights.p + i % parts * bytes;
      kernel(m);
    });
  };
  const double from_memory = calls(kWeightBytes / bytes), macs = from_memory * products, read = from_memory * bytes;
  const double cached = calls(1) * products;
  std::printf("%-8s %-12s n_cols %3d  %6.2f GB/s %3.0f %%  %7.1f GMAC/s %3.0f %%, from the cache %7.1f %3.0f %%\n",
              info(format).name, k.name, n_cols, read * 1e-9, 100 * read / limits.bandwidth, macs * 1e-9,
              100 * macs / limits.dots, cached * 1e-9, 100 * cached / limits.dots);
}

constexpr int kHeadDim = 128, kPages = 32;  // of attention

// kernel(a) for n_rows queries of one KV head over pages of 128 values a head.
template <class A, class Page>
void bench_attend(const char* name, const Kernels& k, void (*kernel)(const A&), A a, int n_rows, size_t page_values) {
  std::vector<Page> page(page_values * kPages, static_cast<Page>(0x2e01));
  std::vector<const Page*> pages;
  for (int p = 0; p < kPages; ++p) pages.push_back(&page[page_values * p]);
  const std::vector<int32_t> visible(n_rows, kPages * kPageTokens);
  std::vector<float> max(n_rows), sum(n_rows), out(static_cast<size_t>(n_rows) * kHeadDim);
  a.n_rows = n_rows;
  a.head_dim = kHeadDim;
  a.pages = pages.data();
  a.n_visible = visible.data();
  a.n_pages = kPages;
  a.state = {max.data(), sum.data(), out.data()};
  const double calls = rate([&](int) { kernel(a); });
  std::printf("%-9s %-12s n_rows %3d  %6.2f GB/s        %7.1f GMAC/s\n", name, k.name, n_rows,
              calls * page.size() * sizeof(Page) * 1e-9, calls * 2 * n_rows * kHeadDim * kPages * kPageTokens * 1e-9);
}

void bench_attention(const Kernels& k, void* scratch, int n_rows) {
  const std::vector<float> q = random_floats(static_cast<size_t>(n_rows) * kHeadDim);
  Attention a = {};
  a.q = q.data();
  a.scratch = scratch;
  bench_attend<Attention, uint16_t>("attend", k, k.attend, a, n_rows, 2 * kv_values(kHeadDim));
  AttentionQ8 b = {};
  b.q = q.data();
  b.scratch = scratch;
  bench_attend<AttentionQ8, uint8_t>("attend_q8", k, k.attend_q8, b, n_rows, kv_page_q8_bytes(kHeadDim));
}

void bench_vectors(const Kernels& k) {
  const std::vector<float> x = random_floats(kValues);
  std::vector<float> out(kValues);
  std::vector<ActivationChunk> q(kValues / kChunk);
  const auto print = [&](const char* name, double calls) {
    std::printf("%-8s %-12s %8.2f µs for %d values\n", name, k.name, 1e6 / calls, kValues);
  };
  print("quantize", rate([&](int) { k.quantize(x.data(), kValues, 256, q.data(), 1); }));
  print("rms_norm", rate([&](int) { k.rms_norm(x.data(), x.data(), kValues, 1e-5f, out.data()); }));
  print("swiglu", rate([&](int) { k.swiglu(x.data(), x.data(), kValues, out.data()); }));
}

}  // namespace

int run(const char* level, const char* format, int only_cols) {
  const Kernels* all[8];
  const int n = all_kernels(all);
  const Bytes weights(kWeightBytes);
  const std::unique_ptr<void, void (*)(void*)> scratch(::operator new(kScratchBytes, std::align_val_t(64)),
                                                       [](void* p) { ::operator delete(p, std::align_val_t(64)); });
  for (int i = 0; i < n; ++i) {
    const Kernels& k = *all[i];
    if (level ? std::strcmp(level, "all") != 0 && std::strcmp(level, k.name) != 0 : i != n - 1) continue;
    const Limits limits = measure(k, weights);
    for (int id = 0; id < kFormatLimit; ++id) {
      const FormatInfo* f = find_format(id);
      if (!f || (format && std::strcmp(format, f->name) != 0)) continue;
      const std::vector<int> columns = only_cols ? std::vector{only_cols} : std::vector{1, 4, 8, 16, 256};
      for (int n_cols : columns) bench_matmul(k, limits, weights, scratch.get(), static_cast<Format>(id), n_cols);
    }
    if (format && std::strcmp(format, "attention") != 0) continue;
    for (int n_rows : {1, 4, 64}) bench_attention(k, scratch.get(), n_rows);
    if (!format) bench_vectors(k);
  }
  return 0;
}

}  // namespace nt::cpu

int main(int argc, char** argv) {
  return nt::cpu::run(argc > 1 ? argv[1] : nullptr, argc > 2 ? argv[2] : nullptr, argc > 3 ? std::atoi(argv[3]) : 0);
}
