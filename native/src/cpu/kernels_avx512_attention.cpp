// AVX-512: attention over the pages of the KV cache. A page's keys lie by dimension, so that a vector holds 16 tokens
// and a query's value is broadcast to them; its values lie by token, so that a vector holds 16 dimensions and a token's
// weight is broadcast. Each vector of the page is converted once for up to kRows queries.
#if defined(__x86_64__) || defined(_M_X64)
#include <cmath>

#include "cpu/kernels_avx512.h"
#include "cpu/kernels_avx512_softmax.h"
#include "cpu/tile.h"

namespace nt::cpu {
namespace {

constexpr int kRows = 6;  // 6 × 4 sums, 4 vectors of the page and a broadcast leave registers to spare
constexpr int kWide = 4;  // vectors of sums a row

inline __m512 load_halves(const uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}

// What to fetch into the second-level cache meanwhile, from front to back; nothing where p is null.
struct Ahead {
  const uint16_t* p;

  NT_INLINE void step(int line) const {
    if (p != nullptr) _mm_prefetch(reinterpret_cast<const char*>(p + 32 * static_cast<ptrdiff_t>(line)), _MM_HINT_T1);
  }
};

// Scores of a page's 64 tokens for R queries.
template <int R>
NT_NOINLINE void score_page(const float* q, int head_dim, const uint16_t* k, const Ahead& ahead,
                            float (*score)[kPageTokens]) {
  __m512 sum[R][kWide];
  NT_UNROLL
  for (int r = 0; r < R; ++r) {
    NT_UNROLL
    for (int i = 0; i < kWide; ++i) sum[r][i] = _mm512_setzero_ps();
  }
  for (int d = 0; d < head_dim; ++d, k += kPageTokens) {
    ahead.step(2 * d);
    ahead.step(2 * d + 1);
    __m512 keys[kWide];
    NT_UNROLL
    for (int i = 0; i < kWide; ++i) keys[i] = load_halves(k + 16 * i);
    NT_UNROLL
    for (int r = 0; r < R; ++r) {
      const __m512 x = _mm512_set1_ps(q[r * head_dim + d]);
      NT_UNROLL
      for (int i = 0; i < kWide; ++i) sum[r][i] = _mm512_fmadd_ps(x, keys[i], sum[r][i]);
    }
  }
  NT_UNROLL
  for (int r = 0; r < R; ++r) {
    NT_UNROLL
    for (int i = 0; i < kWide; ++i) _mm512_storeu_ps(score[r] + 16 * i, sum[r][i]);
  }
}

// out += Σ weight · v over tokens first … last − 1, for R queries and 16·W dimensions, of which `lanes` of the last 16.
// Out of line, or GCC gives its sums' registers to its callers' pointers.
template <int R, int W>
NT_NOINLINE void add_values(const float (*weight)[kPageTokens], int first, int last, const uint16_t* v, int head_dim,
                            __mmask16 lanes, const float* rescale, const Ahead& ahead, float* out) {
  const auto mask = [&](int i) { return i == W - 1 ? lanes : static_cast<__mmask16>(0xffff); };
  __m512 sum[R][W];
  NT_UNROLL
  for (int r = 0; r < R; ++r) {
    NT_UNROLL
    for (int i = 0; i < W; ++i) {
      sum[r][i] =
          _mm512_mul_ps(_mm512_maskz_loadu_ps(mask(i), out + r * head_dim + 16 * i), _mm512_set1_ps(rescale[r]));
    }
  }
  for (int t = first; t < last; ++t) {
    for (int line = 0; line < (W + 1) / 2; ++line) ahead.step(t * ((W + 1) / 2) + line);
    __m512 values[W];
    NT_UNROLL
    for (int i = 0; i < W; ++i) {
      values[i] = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask(i), v + t * head_dim + 16 * i));
    }
    NT_UNROLL
    for (int r = 0; r < R; ++r) {
      const __m512 p = _mm512_set1_ps(weight[r][t]);
      NT_UNROLL
      for (int i = 0; i < W; ++i) sum[r][i] = _mm512_fmadd_ps(p, values[i], sum[r][i]);
    }
  }
  NT_UNROLL
  for (int r = 0; r < R; ++r) {
    NT_UNROLL
    for (int i = 0; i < W; ++i) _mm512_mask_storeu_ps(out + r * head_dim + 16 * i, mask(i), sum[r][i]);
  }
}

// The same over all dimensions.
template <int R>
void weigh_page(const float (*weight)[kPageTokens], int first, int last, const uint16_t* v, int head_dim,
                const float* rescale, Ahead ahead, float* out) {
  int d = 0;
  for (; d + 16 * kWide <= head_dim; d += 16 * kWide) {
    add_values<R, kWide>(weight, first, last, v + d, head_dim, 0xffff, rescale, ahead, out + d);
    if (ahead.p != nullptr) ahead.p += kPageTokens * 16 * kWide;
  }
  for (; d < head_dim; d += 16) {
    add_values<R, 1>(weight, first, last, v + d, head_dim, first_lanes(head_dim - d), rescale, {nullptr}, out + d);
  }
}

// Adds a page to the states of rows row … row + R − 1. The first rows fetch what comes after the page's keys: its
// values, then the next page's keys.
template <int R>
void attend_rows(const Attention& a, int row, int page) {
  const uint16_t* k = a.pages[page];
  const uint16_t* v = k + static_cast<size_t>(kPageTokens) * a.head_dim;
  const size_t at = static_cast<size_t>(row) * a.head_dim;
  int n[R], common = kPageTokens, any = 0;
  for (int r = 0; r < R; ++r) {
    n[r] = smaller(kPageTokens, a.n_visible[row + r] - page * kPageTokens);
    common = smaller(common, n[r]);
    any |= n[r] > 0;
  }
  if (!any) return;
  float score[R][kPageTokens], rescale[R];
  score_page<R>(a.q + at, a.head_dim, k, {row == 0 ? v : nullptr}, score);
  for (int r = 0; r < R; ++r) {
    rescale[r] = n[r] > 0 ? soften(score[r], n[r], a.state.max + row + r, a.state.sum + row + r) : 1;
  }
  if (common < 0) common = 0;
  const Ahead next = {row == 0 && page + 1 < a.n_pages ? a.pages[page + 1] : nullptr};
  weigh_page<R>(score, 0, common, v, a.head_dim, rescale, next, a.state.out + at);
  // What only some of the rows see: a weight of 0 would not do, since a value may be NaN.
  const float one = 1;
  for (int r = 0; r < R; ++r) {
    if (n[r] <= common) continue;
    weigh_page<1>(score + r, common, n[r], v, a.head_dim, &one, {nullptr},
                  a.state.out + at + r * static_cast<size_t>(a.head_dim));
  }
}

void attend(const Attention& a) {
  for (int r = 0; r < a.n_rows; ++r) {
    a.state.max[r] = -kInfinity;
    a.state.sum[r] = 0;
  }
  std::memset(a.state.out, 0, static_cast<size_t>(a.n_rows) * static_cast<size_t>(a.head_dim) * sizeof(float));
  for (int page = 0; page < a.n_pages; ++page) {
    int row = 0;
    for (; row + kRows <= a.n_rows; row += kRows) attend_rows<kRows>(a, row, page);
    switch (a.n_rows - row) {
      case 1:
        attend_rows<1>(a, row, page);
        break;
      case 2:
        attend_rows<2>(a, row, page);
        break;
      case 3:
        attend_rows<3>(a, row, page);
        break;
      case 4:
        attend_rows<4>(a, row, page);
        break;
      case 5:
        attend_rows<5>(a, row, page);
        break;
    }
  }
}

void merge_attention(const AttentionState& into, const AttentionState& later, int n_rows, int head_dim) {
  for (int r = 0; r < n_rows; ++r) {
    if (later.sum[r] == 0) continue;  // saw nothing: else the sum is 1 or more, or NaN
    const float max = into.max[r] > later.max[r] ? into.max[r] : later.max[r];
    const float f = into.sum[r] == 0 ? 0 : exp1(into.max[r] - max), g = exp1(later.max[r] - max);
    into.max[r] = max;
    into.sum[r] = into.sum[r] * f + later.sum[r] * g;
    float* out = into.out + static_cast<size_t>(r) * head_dim;
    const float* add = later.out + static_cast<size_t>(r) * head_dim;
    for (int d = 0; d < head_dim; d += 16) {
      const __mmask16 lanes = first_lanes(head_dim - d);
      const __m512 x = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, out + d), _mm512_set1_ps(f));
      _mm512_mask_storeu_ps(out + d, lanes,
                            _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, add + d), _mm512_set1_ps(g), x));
    }
  }
}

void store_kv(const float* k, const float* v, int head_dim, uint16_t* page, int slot) {
  uint16_t* values = page + static_cast<size_t>(kPageTokens) * head_dim + static_cast<size_t>(slot) * head_dim;
  for (int d = 0; d < head_dim; d += 16) {
    const __mmask16 lanes = first_lanes(head_dim - d);
    _mm256_mask_storeu_epi16(values + d, lanes,
                             _mm512_cvtps_ph(_mm512_maskz_loadu_ps(lanes, v + d), _MM_FROUND_TO_NEAREST_INT));
    alignas(32) uint16_t keys[16];
    _mm256_store_si256(reinterpret_cast<__m256i*>(keys),
                       _mm512_cvtps_ph(_mm512_maskz_loadu_ps(lanes, k + d), _MM_FROUND_TO_NEAREST_INT));
    for (int i = 0; i < smaller(16, head_dim - d); ++i) page[(d + i) * kPageTokens + slot] = keys[i];
  }
}

}  // namespace

void init_avx512_attention(Kernels& k) {
  k.store_kv = store_kv;
  k.attend = attend;
  k.merge_attention = merge_attention;
}

}  // namespace nt::cpu
#endif
