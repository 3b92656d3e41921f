// The AMX level's products with registers in memory, so that CPUs without AMX check what is around its instructions.
#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels_amx.h"

namespace nt::cpu {
namespace {

class EmulatedTiles {
 public:
  explicit EmulatedTiles(int n_left) : n_left_(n_left) {}

  template <int R>
  void zero() {
    std::memset(registers_[R], 0, sizeof registers_[R]);
  }

  template <int R>
  void load(const void* p, size_t stride) {
    for (int i = 0; i < rows(R); ++i) std::memcpy(registers_[R][i], static_cast<const char*>(p) + i * stride, 64);
  }

  template <int R>
  void store(void* p, size_t stride) {
    for (int i = 0; i < rows(R); ++i) std::memcpy(static_cast<char*>(p) + i * stride, registers_[R][i], 64);
  }

  template <int R, int A, int B>
  void multiply() {
    for (int i = 0; i < rows(R); ++i) {
      int32_t dots[16];
      std::memcpy(dots, registers_[R][i], 64);
      for (int k = 0; k < 64; ++k) {
        for (int j = 0; j < 16; ++j) dots[j] += registers_[A][i][k] * registers_[B][k / 4][4 * j + k % 4];
      }
      std::memcpy(registers_[R][i], dots, 64);
    }
  }

 private:
  int rows(int r) const { return register_rows(r, n_left_); }

  int n_left_;
  alignas(64) int8_t registers_[8][16][64];
};

}  // namespace

void init_emulated_amx(Kernels& k) { init_amx_matmul<EmulatedTiles>(k); }

}  // namespace nt::cpu
#endif
