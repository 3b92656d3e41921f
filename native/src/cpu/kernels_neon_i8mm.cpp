// NEON with Armv8.6's matrix products: smmla multiplies 2 rows by 2 columns, 8 values of each.
//
// Kernels only: internal linkage, no standard containers or functions (see cmake/isa.cmake).
#if defined(__aarch64__)

#include "cpu/kernels_neon_matmul.h"

namespace nt::cpu {
namespace {

struct Smmla {
  static constexpr int kProducts = 32;
  static NT_INLINE int32x4_t run(int32x4_t sum, int8x16_t q, int8x16_t a) { return vmmlaq_s32(sum, q, a); }
};

NT_INLINE int8x16_t low_halves(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s64(vtrn1q_s64(vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b)));
}

NT_INLINE int8x16_t high_halves(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s64(vtrn2q_s64(vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b)));
}

// A vector of a tile holds 8 consecutive values of 2 rows; the 16 rows' vectors are beside each other.
struct PairLayout {
  static NT_INLINE void arrange(const uint8x16_t* rows, uint8x16_t* out) {
    for (int i = 0; i < 4; i += 2) {
      const int8x16_t a = vreinterpretq_s8_u8(rows[i]), b = vreinterpretq_s8_u8(rows[i + 1]);
      out[i] = vreinterpretq_u8_s8(low_halves(a, b));
      out[i + 1] = vreinterpretq_u8_s8(high_halves(a, b));
    }
  }

  static NT_INLINE int place(int k, int quad, int j) {
    return (k / 8 + j % 2) * 8 * kTileRows + (2 * quad + j / 2) * 16;
  }

  // Columns in pairs. One alone is multiplied by sdot, of which some CPUs do twice as many: each row has two sums then.
  template <int kSub, int C, int Q>
  static NT_INLINE void dot(const SignedTile& tile, int quad, int k, const ActivationChunk* a, int32x4_t (*dot)[Q]) {
    constexpr int kPairs = (C + 1) / 2;
    int32x4_t sum[kPairs][2 * Q];  // (row, column): (0, 0), (0, 1), (1, 0), (1, 1)
    NT_UNROLL
    for (int p = 0; p < kPairs; ++p) {
      NT_UNROLL
      for (int i = 0; i < 2 * Q; ++i) sum[p][i] = vdupq_n_s32(0);
    }
    NT_UNROLL
    for (int g = 0; g < kSub; g += 16) {
      int8x16_t x[kPairs][2];
      NT_UNROLL
      for (int p = 0; p < kPairs; ++p) {
        const int8x16_t x0 = vld1q_s8(a[2 * p].q + k + g), x1 = C == 1 ? x0 : vld1q_s8(a[2 * p + 1].q + k + g);
        x[p][0] = low_halves(x0, x1);
        x[p][1] = high_halves(x0, x1);
      }
      NT_UNROLL
      for (int h = 0; h < 2; ++h) {
        NT_UNROLL
        for (int i = 0; i < 2 * Q; ++i) {
          const int8x16_t w = vld1q_s8(tile.q + place(k + g, quad, h) + 16 * i);
          NT_UNROLL
          for (int p = 0; p < kPairs; ++p) {
            sum[p][i] = C == 1 ? vdotq_s32(sum[p][i], w, x[p][h]) : vmmlaq_s32(sum[p][i], w, x[p][h]);
          }
        }
      }
    }
    NT_UNROLL
    for (int c = 0; c < C; ++c) {
      NT_UNROLL
      for (int i = 0; i < Q; ++i) {
        const int32x4_t s0 = sum[c / 2][2 * i], s1 = sum[c / 2][2 * i + 1];
        dot[c][i] = C == 1 ? vpaddq_s32(s0, s1) : c % 2 ? vuzp2q_s32(s0, s1) : vuzp1q_s32(s0, s1);
      }
    }
  }
};

}  // namespace

void init_neon_i8mm(Kernels& k) {
  init_matmul<PairLayout>(k);
  k.dot_peak = dot_peak<Smmla>;
}

}  // namespace nt::cpu

#endif
