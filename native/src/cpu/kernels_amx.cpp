// AMX with int8: the registers.
#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels_amx.h"

namespace nt::cpu {
namespace {

// Instructions by themselves: GCC's intrinsics do not say what they read and write, and take registers as text only.
class AmxTiles {
 public:
  explicit AmxTiles(int n_left) {
    for (int r = 0; r < 8; ++r) {
      const int rows = register_rows(r, n_left);
      shapes_.rows[r] = static_cast<uint8_t>(rows);
      shapes_.row_bytes[r] = rows == 0 ? 0 : 64;
    }
    asm volatile("ldtilecfg %0" : : "m"(shapes_));
  }
  ~AmxTiles() { asm volatile("tilerelease"); }
  AmxTiles(const AmxTiles&) = delete;
  AmxTiles& operator=(const AmxTiles&) = delete;

  template <int R>
  NT_INLINE void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(R));
  }

  template <int R>
  NT_INLINE void load(const void* p, size_t stride) {
    asm volatile("tileloadd (%0,%1), %%tmm%c2" : : "r"(p), "r"(stride), "i"(R) : "memory");
  }

  template <int R>
  NT_INLINE void store(void* p, size_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1)" : : "r"(p), "r"(stride), "i"(R) : "memory");
  }

  template <int R, int A, int B>
  NT_INLINE void multiply() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(R), "i"(A), "i"(B));
  }

 private:
  struct {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
  } shapes_;
};

double dot_peak(int64_t rounds, uint64_t* sink) {
  alignas(64) int32_t dots[16][16];
  std::memset(dots, static_cast<uint8_t>(*sink), sizeof dots);
  AmxTiles tiles(16);
  tiles.load<6>(dots, 64);
  tiles.load<7>(dots, 64);
  for (int64_t n = 0; n < rounds; ++n) {  // four chains hide the latency of 52 cycles
    tiles.multiply<0, 6, 7>();
    tiles.multiply<1, 6, 7>();
    tiles.multiply<2, 6, 7>();
    tiles.multiply<3, 6, 7>();
  }
  tiles.store<0>(dots, 64);
  *sink += static_cast<uint32_t>(dots[0][0]);
  return static_cast<double>(rounds) * 4 * 16 * 16 * 64;
}

}  // namespace

void init_amx(Kernels& k) {
  init_amx_matmul<AmxTiles>(k);
  k.dot_peak = dot_peak;
}

}  // namespace nt::cpu
#endif
