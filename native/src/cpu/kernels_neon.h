// The NEON levels: what the files of theirs share. A vector has 16 bytes; a tile's 16 rows are four quads of 4 rows.
#pragma once

#include <arm_neon.h>

#include "cpu/kernels.h"
#include "cpu/tile.h"
#include "cpu/unroll.h"

namespace nt::cpu {

void init_neon_vectors(Kernels& k);  // vectors_neon.cpp

namespace {

// 16 bytes of each of 4 rows, transposed by fours: out[j] holds bytes 4j … 4j + 3 of every row.
NT_INLINE void transpose4(const uint8x16_t* rows, uint8x16_t* out) {
  const uint32x4_t a = vreinterpretq_u32_u8(rows[0]), b = vreinterpretq_u32_u8(rows[1]);
  const uint32x4_t c = vreinterpretq_u32_u8(rows[2]), d = vreinterpretq_u32_u8(rows[3]);
  const uint64x2_t ab = vreinterpretq_u64_u32(vtrn1q_u32(a, b)), AB = vreinterpretq_u64_u32(vtrn2q_u32(a, b));
  const uint64x2_t cd = vreinterpretq_u64_u32(vtrn1q_u32(c, d)), CD = vreinterpretq_u64_u32(vtrn2q_u32(c, d));
  out[0] = vreinterpretq_u8_u64(vtrn1q_u64(ab, cd));
  out[1] = vreinterpretq_u8_u64(vtrn1q_u64(AB, CD));
  out[2] = vreinterpretq_u8_u64(vtrn2q_u64(ab, cd));
  out[3] = vreinterpretq_u8_u64(vtrn2q_u64(AB, CD));
}

NT_INLINE float32x4_t from_halves(uint16x4_t h) { return vcvt_f32_f16(vreinterpret_f16_u16(h)); }

// How many products the level's dot instruction does: Op::run(sum, q, a) adds Op::kProducts of them. Four chains at a
// time multiply the sum of another, so that no product can be reused and none waits for long.
template <class Op>
double dot_peak(int64_t rounds, uint64_t* sink) {
  constexpr int kChains = 16;
  int32x4_t sum[kChains];
  int8x16_t q[4];
  for (int i = 0; i < kChains; ++i) sum[i] = vdupq_n_s32(static_cast<int32_t>(*sink) + i);
  for (int i = 0; i < 4; ++i) q[i] = vdupq_n_s8(static_cast<int8_t>(*sink + i));
  for (int64_t n = 0; n < rounds; ++n) {
    NT_UNROLL
    for (int i = 0; i < kChains; ++i) {
      sum[i] = Op::run(sum[i], q[i % 4], vreinterpretq_s8_s32(sum[(i / 4 * 4 + 4) % kChains]));
    }
  }
  for (const int32x4_t& s : sum) *sink += vaddlvq_u32(vreinterpretq_u32_s32(s));
  return static_cast<double>(rounds) * kChains * Op::kProducts;
}

}  // namespace
}  // namespace nt::cpu
