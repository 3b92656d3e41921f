// The thread pool: every task runs once, callers take turns, destruction never hangs. Run under TSan as well.
#include "cpu/thread_pool.h"

#include <chrono>
#include <thread>

#include "check.h"

namespace {

using nt::cpu::ThreadPool;

void every_task_runs_once(int n_threads, int n_jobs, int n_tasks) {
  ThreadPool pool(n_threads);
  CHECK_EQ(pool.size(), n_threads);
  std::vector<int> runs(static_cast<size_t>(n_tasks));  // not atomic: TSan would see two threads in one task
  std::atomic<int> bad_thread{0};
  for (int job = 0; job < n_jobs; ++job) {
    auto task = [&](int i, int thread) {
      ++runs[static_cast<size_t>(i)];
      if (thread < 0 || thread >= n_threads) ++bad_thread;
    };
    pool.run(n_tasks, task);
  }
  for (int r : runs) CHECK_EQ(r, n_jobs);
  CHECK_EQ(bad_thread.load(), 0);
}

void callers_take_turns() {
  ThreadPool pool(3);
  std::atomic<int> inside{0}, overlaps{0}, done{0};
  const auto caller = [&] {
    for (int job = 0; job < 200; ++job) {
      std::atomic<int> mine{0};
      auto task = [&](int, int) { ++mine; };
      pool.run(7, task);
      if (mine != 7) ++overlaps;
      ++done;
    }
  };
  std::thread a(caller), b(caller);
  a.join();
  b.join();
  CHECK_EQ(overlaps.load(), 0);
  CHECK_EQ(done.load(), 400);
  CHECK_EQ(inside.load(), 0);
}

// After a pause longer than the spinning, the workers are parked and must wake.
void wakes_after_parking() {
  ThreadPool pool(2);
  std::atomic<int> others{0};
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    auto task = [&](int, int thread) {
      if (thread != 0) ++others;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
    pool.run(20, task);
  }
  CHECK(others > 0);
}

void idle_pool_uses_no_cpu() {
  ThreadPool pool(4);
  auto task = [](int, int) {};
  pool.run(10, task);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const double used = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  CHECK(used < 0.0005);  // 0.1 %
}

void many_come_and_go() {
  for (int i = 0; i < 100; ++i) {
    ThreadPool pool(1 + i % 4);
    auto task = [](int, int) {};
    if (i % 2 == 0) pool.run(3, task);
  }
}

// A worker that is held up inside its tasks, as by another program, rests before long, and works again later.
void held_up_worker_rests() {
  ThreadPool pool(2);
  std::atomic<bool> held_up{true};
  std::atomic<int> by_worker{0};
  auto task = [&](int, int thread) {
    if (thread == 0) return;
    ++by_worker;
    if (held_up) std::this_thread::sleep_for(std::chrono::milliseconds(3));
  };
  const auto run_for = [&](std::chrono::milliseconds time) {
    int jobs = 0;
    by_worker = 0;
    const auto end = std::chrono::steady_clock::now() + time;
    for (; std::chrono::steady_clock::now() < end; ++jobs) pool.run(20, task);
    return jobs;
  };
  const int jobs = run_for(std::chrono::milliseconds(500));
  CHECK(by_worker > 0);
  CHECK(by_worker < 60);  // 160 if it were always waited for
  CHECK(jobs > 1000);
  held_up = false;
  run_for(std::chrono::milliseconds(1000));
  CHECK(by_worker > 100);
}

}  // namespace

int main() {
  every_task_runs_once(1, 10, 5);
  every_task_runs_once(2, 2000, 1);
  every_task_runs_once(2, 2000, 17);
  every_task_runs_once(5, 1000, 64);
  callers_take_turns();
  wakes_after_parking();
  idle_pool_uses_no_cpu();
  many_come_and_go();
  if (!test::kEmulated) held_up_worker_rests();
  return test::result();
}
