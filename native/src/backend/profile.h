// Where the time of passes goes, by operation of a layer.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace nt {

// X(constant, name)
#define NT_OPERATIONS(X)                  \
  X(kEmbedding, "embedding")              \
  X(kInputs, "norm and quantize")         \
  X(kQkv, "q k v")                        \
  X(kAttention, "attention")              \
  X(kAttentionOutput, "attention output") \
  X(kGateUp, "gate up")                   \
  X(kDown, "down")                        \
  X(kLogits, "logits")

enum class Operation {
#define X(constant, name) constant,
  NT_OPERATIONS(X)
#undef X
};

constexpr const char* kOperationNames[] = {
#define X(constant, name) name,
    NT_OPERATIONS(X)
#undef X
};

constexpr int kOperations = static_cast<int>(sizeof kOperationNames / sizeof *kOperationNames);

// What an operation reads from memory and multiplies.
struct OperationWork {
  int64_t bytes = 0;  // of weights, or keys and values
  int64_t macs = 0;
};

struct OperationTotals {
  int64_t calls, nanoseconds;
  OperationWork work;
};

// Written by the thread that decodes; any thread may read it meanwhile.
class Profile {
 public:
  OperationTotals of(Operation op) const {
    const Counters& c = counters_[static_cast<size_t>(op)];
    return {c.calls, c.nanoseconds, {c.bytes, c.macs}};
  }

  // Runs a part of an operation. The clock is read twice, which takes 0.05 µs of the 10 µs and more that a part takes.
  template <typename Body>
  void time(Operation op, OperationWork work, Body body) {
    const auto start = std::chrono::steady_clock::now();
    body();
    const std::chrono::nanoseconds time = std::chrono::steady_clock::now() - start;
    Counters& c = counters_[static_cast<size_t>(op)];
    ++c.calls;
    c.nanoseconds += time.count();
    c.bytes += work.bytes;
    c.macs += work.macs;
  }

 private:
  struct Counters {
    std::atomic<int64_t> calls{0}, nanoseconds{0}, bytes{0}, macs{0};
  };

  std::array<Counters, kOperations> counters_;
};

}  // namespace nt
