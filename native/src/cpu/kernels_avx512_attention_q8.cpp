// AVX-512: attention over pages of the KV cache in Q8_0. Scores are integer dots: a vector holds 4 values of 16 tokens'
// keys and a query's 4 values are broadcast to them. A token's weight takes on its value's scale, and values become
// floats on their way into the sums. Each vector of the page is loaded once for up to kRows queries.
#if defined(__x86_64__) || defined(_M_X64)

#include "cpu/kernels_avx512_softmax.h"
#include "cpu/kv_page_q8.h"
#include "cpu/tile.h"

namespace nt::cpu {
namespace {

constexpr int kRows = 8;          // 8 × 2 sums, 2 vectors of the page and a broadcast leave registers to spare
constexpr int kScoreVectors = 2;  // of 16 tokens, scored at a time
constexpr int kBlockVectors = kKvBlock / 16;

using Page = KvPageQ8<const uint8_t>;

inline __m512 load_halves(const uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}

// Adds the dots of 32 tokens' keys with 32 bytes of each of R queries.
template <int R>
inline void add_dots(const uint8_t* keys, const int8_t* const* q, __m512i (*dot)[kScoreVectors]) {
  NT_UNROLL
  for (int g = 0; g < kKvBlock / 4; ++g, keys += kKeyGroupBytes) {
    __m512i k[kScoreVectors];
    for (int i = 0; i < kScoreVectors; ++i) k[i] = _mm512_loadu_si512(keys + 64 * i);
    for (int r = 0; r < R; ++r) {
      int32_t four;
      std::memcpy(&four, q[r] + 4 * g, 4);
      const __m512i x = _mm512_set1_epi32(four);
      for (int i = 0; i < kScoreVectors; ++i) dot[r][i] = _mm512_dpbusd_epi32(dot[r][i], k[i], x);
    }
  }
}

// Adds a block of 32 values to the scores of 32 tokens from t on, for R queries, of which row r's block is at
// q[r · n_blocks].
template <int R>
inline void score_block(const Page& page, int block, int t, const QueryBlock* q, int n_blocks,
                        float (*score)[kPageTokens]) {
  const uint8_t* keys = page.keys + block * (kKvBlock / 4) * kKeyGroupBytes + 4 * t;
  const int8_t *high[R], *low[R];
  __m512i dot[R][kScoreVectors];
  for (int r = 0; r < R; ++r) {
    high[r] = q[r * n_blocks].high;
    low[r] = q[r * n_blocks].low;
    for (__m512i& d : dot[r]) d = _mm512_setzero_si512();
  }
  add_dots<R>(keys, high, dot);
  for (int r = 0; r < R; ++r) {
    const __m512i bias = _mm512_set1_epi32(q[r * n_blocks].bias);
    for (__m512i& d : dot[r]) d = _mm512_sub_epi32(_mm512_slli_epi32(d, 7), bias);
  }
  add_dots<R>(keys, low, dot);
  for (int i = 0; i < kScoreVectors; ++i) {
    const __m512 scale = load_halves(page.key_scales + block * kPageTokens + t + 16 * i);
    for (int r = 0; r < R; ++r) {
      float* sum = score[r] + t + 16 * i;
      const __m512 both = _mm512_mul_ps(scale, _mm512_set1_ps(q[r * n_blocks].scale));
      _mm512_storeu_ps(sum, _mm512_fmadd_ps(both, _mm512_cvtepi32_ps(dot[r][i]), _mm512_loadu_ps(sum)));
    }
  }
}

// The weights of a page's tokens for a block of values, which its scales go into.
template <int R>
inline void weigh_tokens(const Page& page, int block, const float (*p)[kPageTokens], float (*weight)[kPageTokens]) {
  for (int i = 0; i < kTokenVectors; ++i) {
    const __m512 scale = load_halves(page.value_scales + block * kPageTokens + 16 * i);
    for (int r = 0; r < R; ++r) {
      _mm512_storeu_ps(weight[r] + 16 * i, _mm512_mul_ps(scale, _mm512_loadu_ps(p[r] + 16 * i)));
    }
  }
}

// out = out · rescale + Σ weight · v over tokens first … last − 1 and one block of values, for R queries.
template <int R>
inline void add_block(const Page& page, int block, const float (*weight)[kPageTokens], int first, int last,
                      int head_dim, const float* rescale, float* out) {
  out += block * kKvBlock;
  __m512 sum[R][kBlockVectors];
  for (int r = 0; r < R; ++r) {
    for (int i = 0; i < kBlockVectors; ++i) {
      sum[r][i] = _mm512_mul_ps(_mm512_loadu_ps(out + r * head_dim + 16 * i), _mm512_set1_ps(rescale[r]));
    }
  }
  const int8_t* v = page.values + block * kKvBlock;
  for (int t = first; t < last; ++t) {
    __m512 values[kBlockVectors];
    for (int i = 0; i < kBlockVectors; ++i) {
      const auto* from = reinterpret_cast<const __m128i*>(v + t * head_dim + 16 * i);
      values[i] = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from)));
    }
    for (int r = 0; r < R; ++r) {
      const __m512 w = _mm512_set1_ps(weight[r][t]);
      for (int i = 0; i < kBlockVectors; ++i) sum[r][i] = _mm512_fmadd_ps(w, values[i], sum[r][i]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int i = 0; i < kBlockVectors; ++i) _mm512_storeu_ps(out + r * head_dim + 16 * i, sum[r][i]);
  }
}

// Asks for part `part` of n_parts of a page, which the strides of what is read now would hide from the CPU's
// prefetcher.
inline void prefetch_part(const uint8_t* page, size_t bytes, int part, int n_parts) {
  if (page == nullptr) return;
  const size_t step = (bytes / static_cast<size_t>(n_parts) + 63) / 64 * 64, first = step * static_cast<size_t>(part);
  const size_t last = first + step < bytes ? first + step : bytes;
  for (size_t i = first; i < last; i += 64) _mm_prefetch(reinterpret_cast<const char*>(page + i), _MM_HINT_T1);
}

// Adds a page to the states of rows row … row + R − 1.
template <int R>
void attend_rows(const AttentionQ8& a, const QueryBlock* queries, int row, int index) {
  int n[R], common = kPageTokens, any = 0;
  for (int r = 0; r < R; ++r) {
    n[r] = smaller(kPageTokens, a.n_visible[row + r] - index * kPageTokens);
    common = smaller(common, n[r]);
    any |= n[r] > 0;
  }
  if (!any) return;
  if (common < 0) common = 0;
  const Page page(a.pages[index], a.head_dim);
  const int n_blocks = a.head_dim / kKvBlock;
  alignas(64) float score[R][kPageTokens] = {}, weight[R][kPageTokens];
  float rescale[R];
  const uint8_t* next = row == 0 && index + 1 < a.n_pages ? a.pages[index + 1] : nullptr;
  const size_t bytes = kv_page_q8_bytes(a.head_dim);
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_part(next, bytes, b, 2 * n_blocks);
    for (int t = 0; t < kPageTokens; t += 16 * kScoreVectors) {
      score_block<R>(page, b, t, queries + static_cast<size_t>(row) * n_blocks + b, n_blocks, score);
    }
  }
  for (int r = 0; r < R; ++r) {
    rescale[r] = n[r] > 0 ? soften(score[r], n[r], a.state.max + row + r, a.state.sum + row + r) : 1;
  }
  float* out = a.state.out + static_cast<size_t>(row) * a.head_dim;
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_part(next, bytes, n_blocks + b, 2 * n_blocks);
    weigh_tokens<R>(page, b, score, weight);
    add_block<R>(page, b, weight, 0, common, a.head_dim, rescale, out);
    // What only some of the rows see: a weight of 0 would not do, since a value's scale may be NaN.
    const float one = 1;
    for (int r = 0; r < R; ++r) {
      if (n[r] <= common) continue;
      add_block<1>(page, b, weight + r, common, n[r], a.head_dim, &one, out + r * static_cast<size_t>(a.head_dim));
    }
  }
}

// The largest absolute value of a block; NaN where there is one.
inline float largest(__m512 a, __m512 b) {
  // Absolute values order as their bits do, NaN above infinity.
  const __m512i bits = _mm512_max_epu32(_mm512_castps_si512(_mm512_abs_ps(a)), _mm512_castps_si512(_mm512_abs_ps(b)));
  return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(static_cast<int>(_mm512_reduce_max_epu32(bits)))));
}

// quantize_queries(), bit for bit.
void quantize_all(const AttentionQ8& a, QueryBlock* out) {
  const float* x = a.q;
  for (int i = 0; i < a.n_rows * (a.head_dim / kKvBlock); ++i, x += kKvBlock) {
    const __m512 v[2] = {_mm512_loadu_ps(x), _mm512_loadu_ps(x + 16)};
    const float max = largest(v[0], v[1]), scale = max / kQueryMax;
    const bool finite = max < kInfinity, zero = !finite || scale < 1.17549435e-38f;
    out[i].scale = !finite ? max - max : zero ? 0 : scale;
    __m512i sum = _mm512_setzero_si512();
    for (int j = 0; j < 2; ++j) {
      const __m512i q = zero ? sum : _mm512_cvtps_epi32(_mm512_div_ps(v[j], _mm512_set1_ps(scale)));
      const __m512i high = _mm512_srai_epi32(_mm512_add_epi32(q, _mm512_set1_epi32(64)), 7);
      const __m512i low = _mm512_sub_epi32(q, _mm512_slli_epi32(high, 7));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out[i].high + 16 * j), _mm512_cvtepi32_epi8(high));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out[i].low + 16 * j), _mm512_cvtepi32_epi8(low));
      sum = _mm512_add_epi32(sum, q);
    }
    out[i].bias = kKeyBias * _mm512_reduce_add_epi32(sum);
  }
}

void attend_q8(const AttentionQ8& a) {
  auto* queries = static_cast<QueryBlock*>(a.scratch);
  quantize_all(a, queries);
  for (int r = 0; r < a.n_rows; ++r) {
    a.state.max[r] = -kInfinity;
    a.state.sum[r] = 0;
  }
  std::memset(a.state.out, 0, static_cast<size_t>(a.n_rows) * static_cast<size_t>(a.head_dim) * sizeof(float));
  for (int page = 0; page < a.n_pages; ++page) {
    int row = 0;
    for (; row + kRows <= a.n_rows; row += kRows) attend_rows<kRows>(a, queries, row, page);
    switch (a.n_rows - row) {
      case 1:
        attend_rows<1>(a, queries, row, page);
        break;
      case 2:
        attend_rows<2>(a, queries, row, page);
        break;
      case 3:
        attend_rows<3>(a, queries, row, page);
        break;
      case 4:
        attend_rows<4>(a, queries, row, page);
        break;
      case 5:
        attend_rows<5>(a, queries, row, page);
        break;
      case 6:
        attend_rows<6>(a, queries, row, page);
        break;
      case 7:
        attend_rows<7>(a, queries, row, page);
        break;
    }
  }
}

// Quantises a block into q. Returns the scale.
inline uint16_t quantize_block(const float* x, __m128i* q) {
  const __m512 a = _mm512_loadu_ps(x), b = _mm512_loadu_ps(x + 16);
  const __m128i half = _mm_cvtps_ph(_mm_set_ss(largest(a, b) / 127), _MM_FROUND_TO_POS_INF);
  const auto scale = static_cast<uint16_t>(_mm_cvtsi128_si32(half));
  q[0] = q[1] = _mm_setzero_si128();
  if (scale >= 0x7c00) return 0x7e00;
  if (scale == 0) return 0;
  const __m512 s = _mm512_broadcastss_ps(_mm_cvtph_ps(half));
  q[0] = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_div_ps(a, s)));
  q[1] = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_div_ps(b, s)));
  return scale;
}

void store_kv_q8(const float* k, const float* v, int head_dim, uint8_t* page, int slot) {
  const KvPageQ8<uint8_t> to(page, head_dim);
  for (int b = 0; b < head_dim / kKvBlock; ++b) {
    alignas(16) __m128i q[2];
    alignas(16) uint8_t bytes[kKvBlock];
    to.key_scales[b * kPageTokens + slot] = quantize_block(k + b * kKvBlock, q);
    const __m128i bias = _mm_set1_epi8(static_cast<char>(kKeyBias));
    for (int i = 0; i < 2; ++i) _mm_store_si128(reinterpret_cast<__m128i*>(bytes) + i, _mm_xor_si128(q[i], bias));
    uint8_t* keys = to.keys + b * (kKvBlock / 4) * kKeyGroupBytes + 4 * slot;
    for (int g = 0; g < kKvBlock / 4; ++g) std::memcpy(keys + g * kKeyGroupBytes, bytes + 4 * g, 4);
    to.value_scales[b * kPageTokens + slot] = quantize_block(v + b * kKvBlock, q);
    std::memcpy(to.values + static_cast<size_t>(slot) * head_dim + b * kKvBlock, q, sizeof q);
  }
}

}  // namespace

void init_avx512_attention_q8(Kernels& k) {
  k.store_kv_q8 = store_kv_q8;
  k.attend_q8 = attend_q8;
}

}  // namespace nt::cpu
#endif
