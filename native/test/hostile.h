// Inputs and outputs for tests of kernels: reproducible random numbers, hostile values, and memory that shows what was
// written to it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace test {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct Random {
  uint64_t state;

  // splitmix64: https://prng.di.unimi.it/splitmix64.c
  uint64_t next() {
    uint64_t z = (state += 0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  int below(int n) { return static_cast<int>(next() >> 33) % n; }
  int between(int low, int high) { return low + below(high - low + 1); }
  bool one_in(int n) { return below(n) == 0; }
  float uniform() { return static_cast<float>(next() >> 40) * 0x1p-23f - 1; }  // [−1, 1)
  float hostile() {
    const float values[] = {kNaN,   -kNaN,   kInfinity, -kInfinity, 0,        -0.0f,
                            1e-45f, -1e-40f, 1.2e-38f,  3.4e38f,    -3.4e38f, 1e30f};
    return values[below(sizeof values / sizeof *values)];
  }
};

enum Fill {
  kTame,
  kSparse,   // a hostile value now and then
  kHostile,  // many
  kExtreme,  // weights all alike and activations of one size, so that integer sums come as far as they can
};

inline std::vector<float> floats(Random& random, size_t n, Fill fill) {
  std::vector<float> x(n);
  const float extreme = random.one_in(2) ? 1.0f : -1.0f;
  for (float& v : x) {
    v = fill == kExtreme ? extreme : random.uniform() * 4;
    if (fill == kHostile ? random.one_in(3) : fill == kSparse && random.one_in(400)) v = random.hostile();
  }
  return x;
}

// n values with a pattern around and in them that shows what was written.
template <class T>
class Guarded {
 public:
  explicit Guarded(size_t n) : n_(n), bytes_(n * sizeof(T) + 2 * kGuard + 63, kPattern) {
    void* p = bytes_.data() + kGuard;
    size_t space = bytes_.size() - kGuard;
    data_ = static_cast<uint8_t*>(std::align(64, n * sizeof(T), p, space));
  }
  T* data() { return reinterpret_cast<T*>(data_); }
  T& operator[](size_t i) { return data()[i]; }
  size_t size() const { return n_; }

  bool intact() const {
    const uint8_t* end = data_ + n_ * sizeof(T);
    return untouched(data_ - kGuard, data_) && untouched(end, end + kGuard);
  }
  bool untouched(size_t first, size_t last) const {
    return untouched(data_ + first * sizeof(T), data_ + last * sizeof(T));
  }

 private:
  static constexpr size_t kGuard = 64;
  static constexpr uint8_t kPattern = 0xa5;
  static bool untouched(const uint8_t* p, const uint8_t* end) {
    return std::all_of(p, end, [](uint8_t b) { return b == kPattern; });
  }

  size_t n_;
  std::vector<uint8_t> bytes_;
  uint8_t* data_;
};

}  // namespace test
