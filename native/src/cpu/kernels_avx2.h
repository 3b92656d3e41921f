// The files of the AVX2 and AVX-VNNI levels: each fills in its part of the table.
//
// Kernels only: internal linkage, no standard containers or functions (see cmake/isa.cmake).
#pragma once

#include <immintrin.h>

#include <cstring>

#include "cpu/kernels.h"
#include "cpu/unroll.h"

namespace nt::cpu {

void init_avx2_vectors(Kernels& k);
void init_avx2_sampling(Kernels& k);
void init_avx2_matmul(Kernels& k);

namespace {

inline __m256 broadcast(float x) { return _mm256_set1_ps(x); }

inline __m256i load256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

inline void store256(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }

// 16 bytes of each of 8 rows, transposed by fours: out[j] holds bytes 4j … 4j + 3 of every row.
inline void transpose16(const uint8_t* const* rows, size_t offset, __m256i* out) {
  __m256i v[4];
  for (int i = 0; i < 4; ++i) {
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i] + offset));
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i + 4] + offset));
    v[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
  }
  const __m256i a = _mm256_unpacklo_epi32(v[0], v[1]), b = _mm256_unpackhi_epi32(v[0], v[1]);
  const __m256i c = _mm256_unpacklo_epi32(v[2], v[3]), d = _mm256_unpackhi_epi32(v[2], v[3]);
  out[0] = _mm256_unpacklo_epi64(a, c);
  out[1] = _mm256_unpackhi_epi64(a, c);
  out[2] = _mm256_unpacklo_epi64(b, d);
  out[3] = _mm256_unpackhi_epi64(b, d);
}

}  // namespace
}  // namespace nt::cpu
