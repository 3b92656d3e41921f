#include "measure.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <vector>

#include "cpu/aligned_buffer.h"
#include "cpu/kernels.h"

namespace nt {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Several times any cache.
constexpr size_t kBytes = size_t{256} << 20;

// Threads take pieces, as the matrix products do.
constexpr size_t kPiece = size_t{1} << 20;

// Other programs, and on a shared machine other machines, take their part of the bandwidth all the time, so that the
// best pass is one that nothing longer can equal.
double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

double measure_bandwidth(cpu::ThreadPool& pool) {
  cpu::AlignedBuffer<uint8_t> memory;
  uint8_t* data = memory.ensure(kBytes);
  std::memset(data, 1, kBytes);
  std::vector<uint64_t> sums(static_cast<size_t>(pool.size()));
  // In order, and as many streams: what is faster depends on the CPU.
  constexpr int kStreams[] = {1, 8};
  std::vector<double> speeds[2];
  const auto begin = Clock::now();
  for (size_t pass = 0; speeds[1].empty() || seconds_since(begin) < 1; ++pass) {
    const int n_streams = kStreams[pass % 2];
    auto read = [&](int i, int thread) {
      const uint8_t* piece = data + static_cast<size_t>(i) * kPiece;
      sums[static_cast<size_t>(thread)] += cpu::kernels().read_bytes(piece, kPiece, n_streams);
    };
    const auto start = Clock::now();
    pool.run(static_cast<int>(kBytes / kPiece), read);
    speeds[pass % 2].push_back(static_cast<double>(kBytes) / seconds_since(start));
  }
  return std::max(median(speeds[0]), median(speeds[1]));
}

double measure_dot(cpu::ThreadPool& pool) {
  std::vector<uint64_t> sinks(static_cast<size_t>(pool.size()));
  std::vector<double> macs(static_cast<size_t>(pool.size()));
  auto dots = [&](int, int thread) {
    macs[static_cast<size_t>(thread)] += cpu::kernels().dot_peak(1 << 14, &sinks[static_cast<size_t>(thread)]);
  };
  double best = 0;
  const auto begin = Clock::now();
  do {
    std::fill(macs.begin(), macs.end(), 0);
    const auto start = Clock::now();
    pool.run(16 * pool.size(), dots);
    const double seconds = seconds_since(start);
    double all = 0;
    for (double m : macs) all += m;
    best = std::max(best, all / seconds);
  } while (seconds_since(begin) < 0.3);
  return best;
}

}  // namespace nt
