// AVX-512 F, BW, DQ, VL and VNNI, as Cascade Lake has them: the kernels over plain vectors.
#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels_avx512.h"

#include <immintrin.h>

#include <cstring>

namespace nt::cpu {
namespace {

uint64_t read_bytes(const void* p, size_t bytes) {
  const auto* q = static_cast<const uint8_t*>(p);
  __m512i sum[4] = {};
  for (size_t i = 0; i < bytes; i += 256) {
    for (size_t j = 0; j < 4; ++j) sum[j] = _mm512_add_epi64(sum[j], _mm512_loadu_si512(q + i + 64 * j));
  }
  const __m512i all = _mm512_add_epi64(_mm512_add_epi64(sum[0], sum[1]), _mm512_add_epi64(sum[2], sum[3]));
  return static_cast<uint64_t>(_mm512_reduce_add_epi64(all));
}

double dot_peak(int64_t rounds, uint64_t* sink) {
  constexpr int kChains = 16;
  __m512i sum[kChains];
  for (int i = 0; i < kChains; ++i) sum[i] = _mm512_set1_epi64(static_cast<int64_t>(*sink) + i);
  const __m512i q = _mm512_set1_epi8(static_cast<char>(*sink));
  for (int64_t n = 0; n < rounds; ++n) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) sum[i] = _mm512_dpbusd_epi32(sum[i], q, sum[i ^ 1]);
  }
  for (const __m512i& s : sum) *sink += static_cast<uint64_t>(_mm512_reduce_add_epi64(s));
  return static_cast<double>(rounds) * kChains * 64;
}

}  // namespace

void init_avx512(Kernels& k) {
  init_avx512_matmul(k);
  k.read_bytes = read_bytes;
  k.dot_peak = dot_peak;
}

}  // namespace nt::cpu
#endif
