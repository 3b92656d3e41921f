// Quantising, norms, activations and attention for AVX2, FMA and F16C.
//
// Kernels only: internal linkage, no standard containers or functions (see cmake/isa.cmake).
#if defined(__x86_64__) || defined(_M_X64)

#include "cpu/kernels_avx2.h"
#include "cpu/kv_page_q8.h"
#include "cpu/tile.h"

namespace nt::cpu {
namespace {

constexpr uint32_t kInfinityBits = 0x7f800000;

// ------------------------------------------------------------------------------------------------ small helpers

float sum8(__m256 v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

// Ignores NaNs, as `x > max ? x : max` does.
float max8(__m256 v, float max) {
  alignas(32) float lane[8];
  _mm256_store_ps(lane, v);
  for (float x : lane) max = x > max ? x : max;
  return max;
}

// eˣ within 2 ulp, subnormal results included; ∞ above 88.72…, 0 below −103.97…, NaN for NaN.
__m256 exp8(__m256 x) {
  // The second operand is the result where one is NaN.
  x = _mm256_min_ps(broadcast(89), _mm256_max_ps(broadcast(-104), x));
  const __m256 n =
      _mm256_round_ps(_mm256_mul_ps(x, broadcast(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  // ln 2 in two parts, the first of 15 bits, so that n times it is exact.
  __m256 r = _mm256_fnmadd_ps(n, broadcast(0.693145752f), x);
  r = _mm256_fnmadd_ps(n, broadcast(1.42860677e-6f), r);
  // Taylor's series: |r| ≤ ln 2 / 2, so that what is left out is below r⁸/8! < 6·10⁻⁹.
  constexpr float kTaylor[] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1, 1};
  __m256 p = broadcast(kTaylor[0]);
  for (int i = 1; i < 8; ++i) p = _mm256_fmadd_ps(p, r, broadcast(kTaylor[i]));
  // Times 2ⁿ in two steps, since n may be 128 or −150.
  const __m256i exponent = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(exponent, 1);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256i first = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
  const __m256i second = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(exponent, half), bias), 23);
  return _mm256_mul_ps(_mm256_mul_ps(p, _mm256_castsi256_ps(first)), _mm256_castsi256_ps(second));
}

float exp1(float x) { return _mm256_cvtss_f32(exp8(broadcast(x))); }

// --------------------------------------------------------------------------------------------------- quantising

// The bits of the largest absolute value of n floats, n a multiple of 32.
uint32_t max_bits(const float* x, int n) {
  const __m256i mask = _mm256_set1_epi32(0x7fffffff);
  __m256i max[4] = {};
  for (int i = 0; i < n; i += 32) {
    for (int j = 0; j < 4; ++j) max[j] = _mm256_max_epi32(max[j], _mm256_and_si256(load256(x + i + 8 * j), mask));
  }
  const __m256i two = _mm256_max_epi32(_mm256_max_epi32(max[0], max[1]), _mm256_max_epi32(max[2], max[3]));
  __m128i one = _mm_max_epi32(_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1));
  one = _mm_max_epi32(one, _mm_shuffle_epi32(one, 0x4e));
  one = _mm_max_epi32(one, _mm_shuffle_epi32(one, 0xb1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(one));
}

// Values 32j … 32j + 31 of a chunk, with the scale of their block; x may be null where the scale is 0 or NaN.
void quantize32(const float* x, float scale, int j, ActivationChunk* out) {
  __m256i q = _mm256_setzero_si256();
  if (scale > 0) {
    __m256i wide[4];
    for (int i = 0; i < 4; ++i) {
      wide[i] = _mm256_cvtps_epi32(_mm256_div_ps(_mm256_loadu_ps(x + 8 * i), broadcast(scale)));
    }
    q = _mm256_packs_epi16(_mm256_packs_epi32(wide[0], wide[1]), _mm256_packs_epi32(wide[2], wide[3]));
    q = _mm256_permutevar8x32_epi32(q, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
  store256(out->q + 32 * j, q);
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), q);
  const __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(-32));
  const __m256i eights = _mm256_add_epi32(fours, _mm256_shuffle_epi32(fours, 0x4e));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out->bias32[2 * j]), _mm256_castsi256_si128(eights));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out->bias32[2 * j + 1]), _mm256_extracti128_si256(eights, 1));
  // vpsadbw adds up eight unsigned bytes: q + 128.
  alignas(32) int64_t sum8[4];
  const __m256i biased = _mm256_xor_si256(q, _mm256_set1_epi8(-128));
  _mm256_store_si256(reinterpret_cast<__m256i*>(sum8), _mm256_sad_epu8(biased, _mm256_setzero_si256()));
  const int low = static_cast<int>(sum8[0] + sum8[1]) - 16 * 128, high = static_cast<int>(sum8[2] + sum8[3]) - 16 * 128;
  out->scale[j] = scale;
  out->sum16[2 * j] = static_cast<int16_t>(low);
  out->sum16[2 * j + 1] = static_cast<int16_t>(high);
  out->sum32[j] = static_cast<int16_t>(low + high);
  out->sum32f[j] = static_cast<float>(low + high);
}

float scale_for(uint32_t bits) {
  constexpr uint32_t kLeastNormal = 0x00800000, kNaNBits = 0x7fc00000;
  if (bits >= kInfinityBits) bits = kNaNBits;
  float max, scale;
  std::memcpy(&max, &bits, 4);
  scale = max / 127;
  std::memcpy(&bits, &scale, 4);
  return bits < kLeastNormal ? 0 : scale;
}

void quantize(const float* x, int n, int block, ActivationChunk* out, size_t chunk_stride) {
  for (int i = 0; i < n; i += kChunk, out += chunk_stride) {
    const int left = smaller(kChunk, n - i);
    const float whole = block == kChunk ? scale_for(max_bits(x + i, left)) : 0;
    for (int j = 0; j < 8; ++j) {
      const float* part = x + i + 32 * j;
      const bool empty = 32 * j >= left;
      const float scale = block == kChunk ? whole : empty ? 0 : scale_for(max_bits(part, 32));
      quantize32(empty ? nullptr : part, empty ? 0 : scale, j, out);
      out->scale[j] = scale;
    }
  }
}

// ------------------------------------------------------------------------------------------------------ vectors

void rms_norm(const float* x, const float* weight, int n, float eps, float* out) {
  __m256d sum[4] = {};
  int i = 0;
  for (; i + 16 <= n; i += 16) {
    for (int j = 0; j < 4; ++j) {
      const __m256d v = _mm256_cvtps_pd(_mm_loadu_ps(x + i + 4 * j));
      sum[j] = _mm256_fmadd_pd(v, v, sum[j]);
    }
  }
  alignas(32) double lane[4];
  _mm256_store_pd(lane, _mm256_add_pd(_mm256_add_pd(sum[0], sum[1]), _mm256_add_pd(sum[2], sum[3])));
  double total = (lane[0] + lane[1]) + (lane[2] + lane[3]);
  for (; i < n; ++i) total += static_cast<double>(x[i]) * x[i];
  const __m128d mean = _mm_set_sd(total / n + eps);
  const float inverse = static_cast<float>(1 / _mm_cvtsd_f64(_mm_sqrt_sd(mean, mean)));
  for (i = 0; i + 8 <= n; i += 8) {
    const __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(x + i), broadcast(inverse));
    _mm256_storeu_ps(out + i, _mm256_mul_ps(scaled, _mm256_loadu_ps(weight + i)));
  }
  for (; i < n; ++i) out[i] = x[i] * inverse * weight[i];
}

void rope(float* x, int n_heads, int head_dim, const float* cos, const float* sin, int n_pairs) {
  const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
  for (int h = 0; h < n_heads; ++h) {
    float* pair = x + static_cast<size_t>(h) * head_dim;
    int i = 0;
    for (; i + 4 <= n_pairs; i += 4, pair += 8) {
      const __m256 c = _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(cos + i)), twice);
      const __m256 s = _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(sin + i)), twice);
      const __m256 v = _mm256_loadu_ps(pair), swapped = _mm256_permute_ps(v, 0xb1);
      _mm256_storeu_ps(pair, _mm256_fmaddsub_ps(v, c, _mm256_mul_ps(swapped, s)));
    }
    for (; i < n_pairs; ++i, pair += 2) {
      const float x0 = pair[0], x1 = pair[1];
      pair[0] = x0 * cos[i] - x1 * sin[i];
      pair[1] = x0 * sin[i] + x1 * cos[i];
    }
  }
}

__m256 swiglu8(__m256 gate, __m256 up) {
  const __m256 e = exp8(_mm256_xor_ps(gate, broadcast(-0.0f)));
  return _mm256_mul_ps(_mm256_div_ps(gate, _mm256_add_ps(broadcast(1), e)), up);
}

void swiglu(const float* gate, const float* up, size_t n, float* out) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(out + i, swiglu8(_mm256_loadu_ps(gate + i), _mm256_loadu_ps(up + i)));
  if (i < n) {
    float last_gate[8] = {}, last_up[8] = {}, result[8];
    std::memcpy(last_gate, gate + i, (n - i) * sizeof(float));
    std::memcpy(last_up, up + i, (n - i) * sizeof(float));
    _mm256_storeu_ps(result, swiglu8(_mm256_loadu_ps(last_gate), _mm256_loadu_ps(last_up)));
    std::memcpy(out + i, result, (n - i) * sizeof(float));
  }
}

void add(float* x, const float* y, size_t n) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(x + i, _mm256_add_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i)));
  for (; i < n; ++i) x[i] += y[i];
}

// ---------------------------------------------------------------------------------------------------- attention

__m256 load_halves(const uint16_t* p) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }

uint16_t to_half(float x) {
  return static_cast<uint16_t>(_mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(x), _MM_FROUND_TO_NEAREST_INT)));
}

void store_kv(const float* k, const float* v, int head_dim, uint16_t* page, int slot) {
  uint16_t* values = page + static_cast<size_t>(kPageTokens) * head_dim + static_cast<size_t>(slot) * head_dim;
  for (int d = 0; d < head_dim; ++d) page[d * kPageTokens + slot] = to_half(k[d]);
  int d = 0;
  for (; d + 8 <= head_dim; d += 8) {
    const __m128i h = _mm256_cvtps_ph(_mm256_loadu_ps(v + d), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(values + d), h);
  }
  for (; d < head_dim; ++d) values[d] = to_half(v[d]);
}

// Scores of the first n tokens of a page, rounded up to 16, for R queries.
template <int R>
void score_page(const float* q, int head_dim, const uint16_t* keys, int n, float (*score)[kPageTokens]) {
  for (int t = 0; t < n; t += 16) {
    __m256 sum[R][2];
    for (auto& row : sum) row[0] = row[1] = _mm256_setzero_ps();
    for (int d = 0; d < head_dim; ++d) {
      const __m256 k0 = load_halves(keys + d * kPageTokens + t), k1 = load_halves(keys + d * kPageTokens + t + 8);
      for (int r = 0; r < R; ++r) {
        const __m256 x = broadcast(q[static_cast<size_t>(r) * head_dim + d]);
        sum[r][0] = _mm256_fmadd_ps(k0, x, sum[r][0]);
        sum[r][1] = _mm256_fmadd_ps(k1, x, sum[r][1]);
      }
    }
    for (int r = 0; r < R; ++r) {
      _mm256_storeu_ps(score[r] + t, sum[r][0]);
      _mm256_storeu_ps(score[r] + t + 8, sum[r][1]);
    }
  }
}

// Turns the first n scores (1 or more) into exp(score − max), the maximum into the one that includes them, and adds to
// the sum. Returns the factor for what was added up before.
float soften(float* score, int n, float* max, float* sum) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  __m256 most = broadcast(*max);
  for (int t = 0; t < n; t += 8) {
    const __m256i seen = _mm256_cmpgt_epi32(_mm256_set1_epi32(n - t), lane);
    const __m256 s = _mm256_blendv_ps(most, _mm256_loadu_ps(score + t), _mm256_castsi256_ps(seen));
    most = _mm256_max_ps(s, most);  // the second where one is NaN
  }
  const float new_max = max8(most, *max), rescale = exp1(*max - new_max);
  __m256 total = _mm256_setzero_ps();
  for (int t = 0; t < n; t += 8) {
    const __m256i seen = _mm256_cmpgt_epi32(_mm256_set1_epi32(n - t), lane);
    const __m256 e = exp8(_mm256_sub_ps(_mm256_loadu_ps(score + t), broadcast(new_max)));
    const __m256 p = _mm256_and_ps(e, _mm256_castsi256_ps(seen));
    _mm256_storeu_ps(score + t, p);
    total = _mm256_add_ps(total, p);
  }
  *max = new_max;
  *sum = *sum * rescale + sum8(total);
  return rescale;
}

// Adds the values of tokens first … last − 1, weighted by p, to R rows. A row's additions are in the order of tokens,
// whatever the ranges.
template <int R>
void add_values(const float (*p)[kPageTokens], const uint16_t* values, int head_dim, int first, int last, float* out) {
  int d = 0;
  for (; d + 16 <= head_dim; d += 16) {
    __m256 sum[R][2];
    for (int r = 0; r < R; ++r) {
      for (int i = 0; i < 2; ++i) sum[r][i] = _mm256_loadu_ps(out + static_cast<size_t>(r) * head_dim + d + 8 * i);
    }
    for (int t = first; t < last; ++t) {
      const __m256 v0 = load_halves(values + t * head_dim + d), v1 = load_halves(values + t * head_dim + d + 8);
      for (int r = 0; r < R; ++r) {
        const __m256 w = broadcast(p[r][t]);
        sum[r][0] = _mm256_fmadd_ps(v0, w, sum[r][0]);
        sum[r][1] = _mm256_fmadd_ps(v1, w, sum[r][1]);
      }
    }
    for (int r = 0; r < R; ++r) {
      for (int i = 0; i < 2; ++i) _mm256_storeu_ps(out + static_cast<size_t>(r) * head_dim + d + 8 * i, sum[r][i]);
    }
  }
  for (; d < head_dim; ++d) {
    for (int r = 0; r < R; ++r) {
      float* sum = out + static_cast<size_t>(r) * head_dim + d;
      for (int t = first; t < last; ++t) *sum += p[r][t] * _cvtsh_ss(values[t * head_dim + d]);
    }
  }
}

void scale_values(float* out, int n, float factor) {
  int d = 0;
  for (; d + 8 <= n; d += 8) _mm256_storeu_ps(out + d, _mm256_mul_ps(_mm256_loadu_ps(out + d), broadcast(factor)));
  for (; d < n; ++d) out[d] *= factor;
}

// Rows r … r + R − 1 over one page, of which row r + i sees the first n[i] tokens.
template <int R>
void attend_page(const Attention& a, int row, const uint16_t* page, const int* n) {
  alignas(32) float score[R][kPageTokens];
  int least = n[0], most = n[0];
  for (int i = 1; i < R; ++i) {
    least = smaller(least, n[i]);
    most = n[i] > most ? n[i] : most;
  }
  const uint16_t* values = page + static_cast<size_t>(kPageTokens) * a.head_dim;
  float* out = a.state.out + static_cast<size_t>(row) * a.head_dim;
  score_page<R>(a.q + static_cast<size_t>(row) * a.head_dim, a.head_dim, page, most, score);
  for (int i = 0; i < R; ++i) {
    if (n[i] == 0) continue;
    const float rescale = soften(score[i], n[i], a.state.max + row + i, a.state.sum + row + i);
    scale_values(out + static_cast<size_t>(i) * a.head_dim, a.head_dim, rescale);
  }
  add_values<R>(score, values, a.head_dim, 0, least, out);
  // A token that a row does not see may hold anything, NaN too, so that weighing it with 0 would not do.
  for (int i = 0; i < R; ++i)
    add_values<1>(score + i, values, a.head_dim, least, n[i], out + static_cast<size_t>(i) * a.head_dim);
}

template <int R>
void attend_page(const AttentionQ8& a, int row, const uint8_t* bytes, const int* n);

template <int R, typename A>
void attend_rows(const A& a, int row) {
  int most = 0;
  for (int i = 0; i < R; ++i) most = a.n_visible[row + i] > most ? a.n_visible[row + i] : most;
  for (int p = 0; p < a.n_pages && p * kPageTokens < most; ++p) {
    int n[R];
    for (int i = 0; i < R; ++i) {
      const int left = smaller(kPageTokens, a.n_visible[row + i] - p * kPageTokens);
      n[i] = left > 0 ? left : 0;
    }
    attend_page<R>(a, row, a.pages[p], n);
  }
}

template <typename A>
void attend_all(const A& a) {
  float infinity;
  std::memcpy(&infinity, &kInfinityBits, 4);
  for (int r = 0; r < a.n_rows; ++r) {
    a.state.max[r] = -infinity;
    a.state.sum[r] = 0;
  }
  std::memset(a.state.out, 0, static_cast<size_t>(a.n_rows) * a.head_dim * sizeof(float));
  int r = 0;
  for (; r + 4 <= a.n_rows; r += 4) attend_rows<4>(a, r);
  if (a.n_rows - r == 3) attend_rows<3>(a, r);
  if (a.n_rows - r == 2) attend_rows<2>(a, r);
  if (a.n_rows - r == 1) attend_rows<1>(a, r);
}

void attend(const Attention& a) { attend_all(a); }

// -------------------------------------------------------------------------------------------- attention in Q8_0

// 16 bytes of keys, 4 values of 4 tokens, as words.
__m256i key_words(const uint8_t* p) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

// Adds a block of 32 values to the scores of 8 tokens from t on, for R queries. q: (R, kKvBlock).
template <int R>
void score_block(const KvPageQ8<const uint8_t>& page, int block, int t, const int16_t (*q)[kKvBlock],
                 const QueryBlock* const* blocks, float (*score)[kPageTokens]) {
  __m256i sum[R][2];
  for (auto& row : sum) row[0] = row[1] = _mm256_setzero_si256();
  const uint8_t* keys = page.keys + block * (kKvBlock / 4) * kKeyGroupBytes + 4 * t;
  for (int g = 0; g < kKvBlock / 4; ++g, keys += kKeyGroupBytes) {
    const __m256i k0 = key_words(keys), k1 = key_words(keys + 16);
    for (int r = 0; r < R; ++r) {
      int64_t four;
      std::memcpy(&four, q[r] + 4 * g, 8);
      const __m256i x = _mm256_set1_epi64x(four);
      sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(k0, x));
      sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(k1, x));
    }
  }
  const __m256 scale = load_halves(page.key_scales + block * kPageTokens + t);
  for (int r = 0; r < R; ++r) {
    const __m256i pairs = _mm256_permute4x64_epi64(_mm256_hadd_epi32(sum[r][0], sum[r][1]), 0xd8);
    const __m256i dot = _mm256_sub_epi32(pairs, _mm256_set1_epi32(blocks[r][block].bias));
    const __m256 both = _mm256_mul_ps(scale, broadcast(blocks[r][block].scale));
    _mm256_storeu_ps(score[r] + t, _mm256_fmadd_ps(both, _mm256_cvtepi32_ps(dot), _mm256_loadu_ps(score[r] + t)));
  }
}

// Adds 16 values, of one block, of tokens first … last − 1 to R rows, with weights that hold the values' scales.
template <int R>
void add_bytes(const float (*weight)[kPageTokens], const int8_t* values, int head_dim, int first, int last,
               float* out) {
  __m256 sum[R][2];
  for (int r = 0; r < R; ++r) {
    for (int i = 0; i < 2; ++i) sum[r][i] = _mm256_loadu_ps(out + static_cast<size_t>(r) * head_dim + 8 * i);
  }
  for (int t = first; t < last; ++t) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(values + t * head_dim));
    const __m256 v0 = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(v));
    const __m256 v1 = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(v, 8)));
    for (int r = 0; r < R; ++r) {
      const __m256 w = broadcast(weight[r][t]);
      sum[r][0] = _mm256_fmadd_ps(v0, w, sum[r][0]);
      sum[r][1] = _mm256_fmadd_ps(v1, w, sum[r][1]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int i = 0; i < 2; ++i) _mm256_storeu_ps(out + static_cast<size_t>(r) * head_dim + 8 * i, sum[r][i]);
  }
}

// Rows r … r + R − 1 over one page, of which row r + i sees the first n[i] tokens.
template <int R>
void attend_page(const AttentionQ8& a, int row, const uint8_t* bytes, const int* n) {
  const KvPageQ8<const uint8_t> page(bytes, a.head_dim);
  const int n_blocks = a.head_dim / kKvBlock;
  alignas(32) float score[R][kPageTokens] = {}, weight[R][kPageTokens];
  const QueryBlock* blocks[R];
  int least = n[0], most = n[0];
  for (int i = 0; i < R; ++i) {
    least = smaller(least, n[i]);
    most = n[i] > most ? n[i] : most;
    blocks[i] = static_cast<const QueryBlock*>(a.scratch) + static_cast<size_t>(row + i) * n_blocks;
  }
  for (int b = 0; b < n_blocks; ++b) {
    int16_t q[R][kKvBlock];
    for (int i = 0; i < R; ++i) {
      for (int j = 0; j < kKvBlock; ++j) q[i][j] = static_cast<int16_t>(query_value(blocks[i][b], j));
    }
    for (int t = 0; t < most; t += 8) score_block<R>(page, b, t, q, blocks, score);
  }
  float* out = a.state.out + static_cast<size_t>(row) * a.head_dim;
  for (int i = 0; i < R; ++i) {
    if (n[i] == 0) continue;
    const float rescale = soften(score[i], n[i], a.state.max + row + i, a.state.sum + row + i);
    scale_values(out + static_cast<size_t>(i) * a.head_dim, a.head_dim, rescale);
  }
  for (int d = 0; d < a.head_dim; d += 16) {
    const uint16_t* scales = page.value_scales + d / kKvBlock * kPageTokens;
    for (int t = 0; t < most; t += 8) {
      for (int i = 0; i < R; ++i) {
        _mm256_store_ps(weight[i] + t, _mm256_mul_ps(load_halves(scales + t), _mm256_loadu_ps(score[i] + t)));
      }
    }
    add_bytes<R>(weight, page.values + d, a.head_dim, 0, least, out + d);
    // A token that a row does not see may have a scale of NaN, so that weighing it with 0 would not do.
    for (int i = 0; i < R; ++i) {
      add_bytes<1>(weight + i, page.values + d, a.head_dim, least, n[i], out + static_cast<size_t>(i) * a.head_dim + d);
    }
  }
}

void attend_q8(const AttentionQ8& a) {
  quantize_queries(a, static_cast<QueryBlock*>(a.scratch));
  attend_all(a);
}

void merge_attention(const AttentionState& into, const AttentionState& later, int n_rows, int head_dim) {
  for (int r = 0; r < n_rows; ++r) {
    if (later.sum[r] == 0) continue;  // saw nothing
    const float max = into.max[r] > later.max[r] ? into.max[r] : later.max[r];
    const float f = into.sum[r] == 0 ? 0 : exp1(into.max[r] - max), g = exp1(later.max[r] - max);
    into.max[r] = max;
    into.sum[r] = into.sum[r] * f + later.sum[r] * g;
    float* out = into.out + static_cast<size_t>(r) * head_dim;
    const float* more = later.out + static_cast<size_t>(r) * head_dim;
    int d = 0;
    for (; d + 8 <= head_dim; d += 8) {
      const __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(out + d), broadcast(f));
      _mm256_storeu_ps(out + d, _mm256_fmadd_ps(_mm256_loadu_ps(more + d), broadcast(g), scaled));
    }
    for (; d < head_dim; ++d) out[d] = out[d] * f + more[d] * g;
  }
}

// ---------------------------------------------------------------------------------------------------- measuring

uint64_t read_bytes(const void* p, size_t bytes, int n_streams) {
  const size_t part = bytes / static_cast<size_t>(n_streams);
  __m256i sum[4] = {};
  for (size_t i = 0; i < part; i += 128) {
    for (int s = 0; s < n_streams; ++s) {
      const auto* data = static_cast<const uint8_t*>(p) + s * part + i;
      for (int j = 0; j < 4; ++j) sum[j] = _mm256_add_epi64(sum[j], load256(data + 32 * j));
    }
  }
  alignas(32) uint64_t lane[4];
  const __m256i all = _mm256_add_epi64(_mm256_add_epi64(sum[0], sum[1]), _mm256_add_epi64(sum[2], sum[3]));
  _mm256_store_si256(reinterpret_cast<__m256i*>(lane), all);
  return lane[0] + lane[1] + lane[2] + lane[3];
}

double dot_peak(int64_t rounds, uint64_t* sink) {
  constexpr int kDots = 8;
  __m256i sum[kDots], q[kDots], a = _mm256_set1_epi8(static_cast<char>(*sink));
  for (int i = 0; i < kDots; ++i) {
    sum[i] = _mm256_setzero_si256();
    q[i] = _mm256_set1_epi8(static_cast<char>(i));
  }
  for (int64_t n = 0; n < rounds; ++n) {
    for (int i = 0; i < kDots; ++i) sum[i] = _mm256_add_epi16(sum[i], _mm256_maddubs_epi16(q[i], a));
    a = _mm256_add_epi8(a, q[1]);  // new in each round, so that no product can be reused
  }
  for (int i = 1; i < kDots; ++i) sum[0] = _mm256_add_epi16(sum[0], sum[i]);
  alignas(32) uint64_t lane[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lane), sum[0]);
  *sink += lane[0] + lane[1] + lane[2] + lane[3];
  return static_cast<double>(rounds) * kDots * 32;
}

}  // namespace

void init_avx2_vectors(Kernels& k) {
  k.quantize = quantize;
  k.rms_norm = rms_norm;
  k.rope = rope;
  k.swiglu = swiglu;
  k.add = add;
  k.store_kv = store_kv;
  k.attend = attend;
  k.attend_q8 = attend_q8;
  k.merge_attention = merge_attention;
  k.read_bytes = read_bytes;
  k.dot_peak = dot_peak;
}

}  // namespace nt::cpu

#endif
