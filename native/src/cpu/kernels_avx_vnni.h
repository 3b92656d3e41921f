// The AVX-VNNI level: AVX2's products with vpdpbusd, which multiplies and adds up in 32 bits at once. One source for
// two encodings: VEX, which the level is about (Alder Lake, Zen 5), and EVEX for CPUs that have the instruction with
// AVX-512 only. The file that includes this defines NT_DPBUSD as the encoding's intrinsic.
#pragma once

#include "cpu/kernels_avx2_matmul.h"

namespace nt::cpu {
namespace {

double dot_peak(int64_t rounds, uint64_t* sink) {
  constexpr int kChains = 12;  // of latency 4 or 5, two begun a cycle
  __m256i sum[kChains];
  NT_UNROLL
  for (int i = 0; i < kChains; ++i) sum[i] = _mm256_set1_epi64x(static_cast<int64_t>(*sink) + i);
  const __m256i q = _mm256_set1_epi8(static_cast<char>(*sink));
  for (int64_t n = 0; n < rounds; ++n) {
    NT_UNROLL
    for (int i = 0; i < kChains; ++i) sum[i] = NT_DPBUSD(sum[i], q, q);
  }
  NT_UNROLL
  for (int i = 1; i < kChains; ++i) sum[0] = _mm256_add_epi64(sum[0], sum[i]);
  uint64_t lane[4];
  store256(lane, sum[0]);
  *sink += lane[0] + lane[1] + lane[2] + lane[3];
  return static_cast<double>(rounds) * kChains * 32;
}

inline void init(Kernels& k) {
#define X(format, id, values, bytes) k.matmul[id] = matmul<format>;
  NT_QUANTIZED_FORMATS(X)
#undef X
  k.dot_peak = dot_peak;
}

}  // namespace
}  // namespace nt::cpu
