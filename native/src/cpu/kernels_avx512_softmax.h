// AVX-512: one page's step of an online softmax.
#pragma once

#include "cpu/kernels_avx512.h"
#include "cpu/kernels_avx512_exp.h"

namespace nt::cpu {
namespace {

constexpr float kInfinity = __builtin_inff();
constexpr int kTokenVectors = kPageTokens / 16;

// Turns the first n scores of a row into weights, the others into 0. Returns what the row's earlier sums are to be
// multiplied with.
inline float soften(float* score, int n, float* row_max, float* row_sum) {
  __m512 max = _mm512_set1_ps(*row_max), s[kTokenVectors];
  for (int i = 0; i < kTokenVectors; ++i) {
    s[i] = _mm512_mask_loadu_ps(_mm512_set1_ps(-kInfinity), first_lanes(n - 16 * i), score + 16 * i);
    max = _mm512_max_ps(s[i], max);  // a NaN is passed over
  }
  const float top = _mm512_reduce_max_ps(max);
  const float rescale = exp1(*row_max - top);
  __m512 sum = _mm512_setzero_ps();
  for (int i = 0; i < kTokenVectors; ++i) {
    const __mmask16 lanes = first_lanes(n - 16 * i);
    const __m512 p = _mm512_maskz_mov_ps(lanes, exp16(_mm512_sub_ps(s[i], _mm512_set1_ps(top))));
    sum = _mm512_add_ps(sum, p);
    _mm512_storeu_ps(score + 16 * i, p);
  }
  *row_max = top;
  *row_sum = *row_sum * rescale + _mm512_reduce_add_ps(sum);
  return rescale;
}

}  // namespace
}  // namespace nt::cpu
