// The worker threads that models and contexts share.
//
// A job is a number of tasks, of which each thread first takes those of its own range, in order, so that it reads
// weights front to back, and then what others have left. The caller works too, and a worker joins when it gets to it:
// the caller never waits for one that the system has not scheduled, only for those that are inside a task. Where even
// that takes too long, since other programs use the cores, a worker rests for a while. Workers spin for a while after a
// job, since the next one usually comes within microseconds, and then park.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace nt::cpu {

class ThreadPool {
 public:
  // n_threads - 1 workers; the caller of run() is the last thread. Throws Error(NT_OUT_OF_MEMORY).
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(ranges_.size()); }

  // Calls task(i, thread) for each i in [0, n_tasks), thread in [0, size()), and returns when all are done.
  // Jobs of several callers run one after another. A task must not throw, nor start a job.
  template <typename Task>
  void run(int n_tasks, Task& task) {
    if (n_tasks == 1 || workers_.empty()) {
      std::lock_guard<std::mutex> turn(turn_);
      for (int i = 0; i < n_tasks; ++i) task(i, 0);
      return;
    }
    run_job({[](void* t, int i, int thread) { (*static_cast<Task*>(t))(i, thread); }, &task, n_tasks});
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Job {
    void (*call)(void* task, int i, int thread) = nullptr;
    void* task = nullptr;
    int n_tasks = 0;
  };

  // Tasks that are a thread's to begin with. On a cache line of its own.
  struct alignas(64) Range {
    std::atomic<int> next{0};
    int end = 0;
  };

  void join_all();
  void run_job(const Job& job);
  void bring_back_worker(Clock::time_point now);
  void rest_worker(Clock::time_point start, Clock::time_point end, int done);
  int work(int thread);
  void worker(int thread);
  uint64_t wait_for_job(uint64_t seen, int thread);

  std::vector<std::thread> workers_;
  std::mutex turn_;  // held by the caller whose job runs

  // Bits 0–30: workers inside the job; bit 31: the job is open; above: the job's number.
  alignas(64) std::atomic<uint64_t> state_{0};
  // Written while no job is open and no worker inside, but for what is taken from the ranges.
  std::vector<Range> ranges_;  // of each thread
  alignas(64) Job job_;

  std::atomic<int> n_used_;  // threads that jobs are divided among; the others rest. Only the caller changes it.
  Clock::duration rest_;     // how long the next one is to rest
  Clock::time_point rest_until_;
  Clock::duration used_{}, stalled_{};  // in jobs since they were last compared, and of that waiting in vain

  std::mutex park_mutex_;
  std::condition_variable park_;
  std::atomic<int> n_parked_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace nt::cpu
