// NEON with Armv8.2's dot products: sdot adds 4 products to each of 4 sums.
//
// Kernels only: internal linkage, no standard containers or functions (see cmake/isa.cmake).
#if defined(__aarch64__)

#include "cpu/kernels_neon_matmul.h"

namespace nt::cpu {
namespace {

struct Sdot {
  static constexpr int kProducts = 16;
  static NT_INLINE int32x4_t run(int32x4_t sum, int8x16_t q, int8x16_t a) { return vdotq_s32(sum, q, a); }
  template <int kLane>
  static NT_INLINE int32x4_t run_lane(int32x4_t sum, int8x16_t q, int8x16_t a) {
    return vdotq_laneq_s32(sum, q, a, kLane);
  }
};

}  // namespace

void init_neon_dotprod(Kernels& k) {
  init_matmul<LaneLayout<Sdot>>(k);
  k.dot_peak = dot_peak<Sdot>;
}

}  // namespace nt::cpu

#endif
