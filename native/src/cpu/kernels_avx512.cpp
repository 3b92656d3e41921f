// AVX-512 F, BW, DQ, VL and VNNI, as Cascade Lake has them: the kernels over plain vectors.
#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels_avx512.h"

#include <cmath>

#include "cpu/kernels_avx512_exp.h"
#include "cpu/tile.h"

namespace nt::cpu {
namespace {

// Absolute values of up to n values, rounded up to a vector, and their largest: floats order as their bits do, NaN
// above infinity.
inline uint32_t max_magnitude(const float* x, int n) {
  __m512i max = _mm512_setzero_si512();
  for (int i = 0; i < n; i += 16) {
    max = _mm512_max_epu32(max, _mm512_castps_si512(_mm512_abs_ps(_mm512_maskz_loadu_ps(first_lanes(n - i), x + i))));
  }
  return _mm512_reduce_max_epu32(max);
}

// Quantises n values and fills q up to n_padded, both multiples of 16 but for n. Returns the scale.
inline float quantize_block(const float* x, int n, int n_padded, int8_t* q) {
  const uint32_t bits = max_magnitude(x, n);
  float max;
  std::memcpy(&max, &bits, 4);
  float scale = max / 127;
  if (scale < __FLT_MIN__) scale = 0;
  if (bits >= 0x7f800000) scale = __builtin_nanf("");
  if (!(scale > 0)) {
    std::memset(q, 0, static_cast<size_t>(n_padded));
    return scale;
  }
  for (int i = 0; i < n_padded; i += 16) {
    const __m512 v = _mm512_maskz_loadu_ps(first_lanes(n - i), x + i);
    const __m512i integers = _mm512_cvtps_epi32(_mm512_div_ps(v, _mm512_set1_ps(scale)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q + i), _mm512_cvtepi32_epi8(integers));
  }
  return scale;
}

inline void sum_chunk(ActivationChunk* a) {
  __m512i fours[4];  // (value / 64, value / 4 % 16)
  for (int i = 0; i < 4; ++i) {
    fours[i] = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(1), _mm512_load_si512(a->q + 64 * i));
  }
  for (int i = 0; i < 4; ++i) {
    const __m512i eights = _mm512_add_epi32(fours[i], _mm512_shuffle_epi32(fours[i], _MM_PERM_BADC));
    const __m512i first = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 0, 2, 4, 6), eights);
    const __m256i bias = _mm256_mullo_epi32(_mm512_castsi512_si256(first), _mm256_set1_epi32(-32));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(a->bias32[4 * i]), bias);
  }
  const auto fold = [](__m512i lo, __m512i hi) { return _mm512_add_epi32(lo, hi); };
  const __m512i x = fold(_mm512_unpacklo_epi32(fours[0], fours[1]), _mm512_unpackhi_epi32(fours[0], fours[1]));
  const __m512i y = fold(_mm512_unpacklo_epi32(fours[2], fours[3]), _mm512_unpackhi_epi32(fours[2], fours[3]));
  const __m512i sums = fold(_mm512_unpacklo_epi64(x, y), _mm512_unpackhi_epi64(x, y));  // lane l, dword j: sum 4j + l
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i sum16 = _mm512_permutexvar_epi32(order, sums);
  const __m256i sum32 = _mm512_cvtepi64_epi32(_mm512_add_epi32(sum16, _mm512_srli_epi64(sum16, 32)));
  _mm256_store_si256(reinterpret_cast<__m256i*>(a->sum16), _mm512_cvtepi32_epi16(sum16));
  _mm_store_si128(reinterpret_cast<__m128i*>(a->sum32), _mm256_cvtepi32_epi16(sum32));
  _mm256_store_ps(a->sum32f, _mm256_cvtepi32_ps(sum32));
}

void quantize(const float* x, int n, int block, ActivationChunk* out, size_t chunk_stride) {
  for (int i = 0; i < n; i += kChunk, out += chunk_stride) {
    for (int b = 0; b < kChunk; b += block) {
      const int left = smaller(block, n - i - b);
      const float scale = left > 0 ? quantize_block(x + i + b, left, block, out->q + b) : 0;
      if (left <= 0) std::memset(out->q + b, 0, static_cast<size_t>(block));
      for (int j = b / 32; j < (b + block) / 32; ++j) out->scale[j] = scale;
    }
    sum_chunk(out);
  }
}

void rms_norm(const float* x, const float* weight, int n, float eps, float* out) {
  __m512d low = _mm512_setzero_pd(), high = _mm512_setzero_pd();
  for (int i = 0; i < n; i += 16) {
    const __m512 v = _mm512_maskz_loadu_ps(first_lanes(n - i), x + i);
    const __m512d a = _mm512_cvtps_pd(_mm512_castps512_ps256(v)), b = _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
    low = _mm512_fmadd_pd(a, a, low);
    high = _mm512_fmadd_pd(b, b, high);
  }
  const double sum = _mm512_reduce_add_pd(_mm512_add_pd(low, high));
  const __m512 inverse = _mm512_set1_ps(static_cast<float>(1 / std::sqrt(sum / n + eps)));
  for (int i = 0; i < n; i += 16) {
    const __mmask16 lanes = first_lanes(n - i);
    const __m512 v = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, x + i), inverse);
    _mm512_mask_storeu_ps(out + i, lanes, _mm512_mul_ps(v, _mm512_maskz_loadu_ps(lanes, weight + i)));
  }
}

void rope(float* x, int n_heads, int head_dim, const float* cos, const float* sin, int n_pairs) {
  const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
  for (int i = 0; i < n_pairs; i += 8) {
    const __mmask16 pairs = first_lanes(smaller(8, n_pairs - i)), lanes = first_lanes(2 * (n_pairs - i));
    const __m512 c = _mm512_permutexvar_ps(twice, _mm512_maskz_loadu_ps(pairs, cos + i));
    const __m512 s = _mm512_permutexvar_ps(twice, _mm512_maskz_loadu_ps(pairs, sin + i));
    for (int h = 0; h < n_heads; ++h) {
      float* p = x + static_cast<size_t>(h) * head_dim + 2 * i;
      const __m512 v = _mm512_maskz_loadu_ps(lanes, p);
      const __m512 other = _mm512_mul_ps(_mm512_permute_ps(v, 0xb1), s);  // of each pair, the other value
      _mm512_mask_storeu_ps(p, lanes, _mm512_fmaddsub_ps(v, c, other));
    }
  }
}

void swiglu(const float* gate, const float* up, size_t n, float* out) {
  const __m512 one = _mm512_set1_ps(1.0f);
  for (size_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = n - i >= 16 ? 0xffff : first_lanes(static_cast<int>(n - i));
    const __m512 g = _mm512_maskz_loadu_ps(lanes, gate + i), u = _mm512_maskz_loadu_ps(lanes, up + i);
    const __m512 e = exp16(_mm512_xor_ps(g, _mm512_set1_ps(-0.0f)));
    _mm512_mask_storeu_ps(out + i, lanes, _mm512_mul_ps(_mm512_div_ps(g, _mm512_add_ps(one, e)), u));
  }
}

void add(float* x, const float* y, size_t n) {
  for (size_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = n - i >= 16 ? 0xffff : first_lanes(static_cast<int>(n - i));
    const __m512 sum = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, x + i), _mm512_maskz_loadu_ps(lanes, y + i));
    _mm512_mask_storeu_ps(x + i, lanes, sum);
  }
}

// Of eight unsigned integers: the header's own reduction adds them as signed ones.
inline uint64_t sum_lanes(__m512i v) {
  uint64_t lane[8], sum = 0;
  _mm512_storeu_si512(lane, v);
  for (uint64_t x : lane) sum += x;
  return sum;
}

uint64_t read_bytes(const void* p, size_t bytes, int n_streams) {
  const size_t part = bytes / static_cast<size_t>(n_streams);
  __m512i sum[4] = {};
  for (size_t i = 0; i < part; i += 256) {
    for (int s = 0; s < n_streams; ++s) {
      const auto* q = static_cast<const uint8_t*>(p) + s * part + i;
      for (size_t j = 0; j < 4; ++j) sum[j] = _mm512_add_epi64(sum[j], _mm512_loadu_si512(q + 64 * j));
    }
  }
  const __m512i all = _mm512_add_epi64(_mm512_add_epi64(sum[0], sum[1]), _mm512_add_epi64(sum[2], sum[3]));
  return sum_lanes(all);
}

double dot_peak(int64_t rounds, uint64_t* sink) {
  constexpr int kChains = 16;
  __m512i sum[kChains];
  for (int i = 0; i < kChains; ++i) sum[i] = _mm512_set1_epi64(static_cast<int64_t>(*sink) + i);
  const __m512i q = _mm512_set1_epi8(static_cast<char>(*sink));
  for (int64_t n = 0; n < rounds; ++n) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) sum[i] = _mm512_dpbusd_epi32(sum[i], q, q);
  }
  for (const __m512i& s : sum) *sink += sum_lanes(s);
  return static_cast<double>(rounds) * kChains * 64;
}

}  // namespace

void init_avx512(Kernels& k) {
  init_avx512_matmul_k(k);
  init_avx512_matmul_32(k);
  init_avx512_matmul_iq(k);
  init_avx512_matmul_float(k);
  init_avx512_attention(k);
  init_avx512_attention_q8(k);
  k.quantize = quantize;
  k.rms_norm = rms_norm;
  k.rope = rope;
  k.swiglu = swiglu;
  k.add = add;
  k.read_bytes = read_bytes;
  k.dot_peak = dot_peak;
}

}  // namespace nt::cpu
#endif
