// Two threads of the pool against one while another program uses a core: prints the ratio, which is not to be below
// 0.95, since nobody waits for a worker that the system does not run. Wants a machine that is idle but for it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "cpu/thread_pool.h"

namespace {

using nt::cpu::ThreadPool;

constexpr int kRounds = 61;

// A small model's jobs: some 20 µs of tasks of 1 µs. Returns the seconds taken.
double run_jobs(ThreadPool& pool) {
  std::atomic<uint64_t> sink{0};
  auto task = [&](int i, int) {
    uint64_t x = static_cast<uint64_t>(i) | 1;
    for (int k = 0; k < 1000; ++k) x = x * 6364136223846793005u + 1442695040888963407u;
    sink += x;
  };
  const auto start = std::chrono::steady_clock::now();
  for (int job = 0; job < 2000; ++job) pool.run(20, task);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Medians of rounds in turn.
double two_to_one() {
  ThreadPool one(1), two(2);
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    const double alone = run_jobs(one);
    ratios.push_back(alone / run_jobs(two));
  }
  std::nth_element(ratios.begin(), ratios.begin() + kRounds / 2, ratios.end());
  return ratios[kRounds / 2];
}

}  // namespace

int main() {
  std::printf("two threads to one                   %.2f\n", two_to_one());
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop.load(std::memory_order_relaxed)) {
    }
  });
  const double ratio = two_to_one();
  stop = true;
  busy.join();
  std::printf("two threads to one, one core busy    %.2f\n", ratio);
  return ratio >= 0.95 ? 0 : 1;
}
