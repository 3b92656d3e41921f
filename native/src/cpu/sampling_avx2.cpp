// Sampling's loops for AVX2.
#if defined(__x86_64__) || defined(_M_X64)

#include "cpu/kernels_avx2.h"
#include "cpu/sampling_loops.h"

namespace nt::cpu {
namespace {

// For each choice of four values, where they are: as 32-bit halves of doubles and as 32-bit numbers. Filled up with 0.
struct Choices {
  alignas(32) int32_t doubles[16][8] = {};
  alignas(16) int32_t words[16][4] = {};

  constexpr Choices() {
    for (int choice = 0; choice < 16; ++choice) {
      int n = 0;
      for (int i = 0; i < 4; ++i) {
        if ((choice >> i & 1) == 0) continue;
        doubles[choice][2 * n] = 2 * i;
        doubles[choice][2 * n + 1] = 2 * i + 1;
        words[choice][n++] = i;
      }
    }
  }
};
constexpr Choices kChoices;

size_t keep_in_range_by_fours(const KeyRange& range, size_t begin, size_t end, size_t to, int32_t* ids, double* logits,
                              double* weights) {
  const __m256d center = _mm256_set1_pd(range.center), sign = _mm256_set1_pd(range.absolute ? -0.0 : 0.0);
  const __m256d low = _mm256_set1_pd(range.low), high = _mm256_set1_pd(range.high);
  // Whole vectors are stored: what is beyond the kept ones of a vector was read already.
  for (; begin + 4 <= end; begin += 4) {
    const __m256d x = _mm256_loadu_pd(logits + begin), key = _mm256_andnot_pd(sign, _mm256_sub_pd(center, x));
    const __m256d in = _mm256_and_pd(_mm256_cmp_pd(low, key, _CMP_LE_OQ), _mm256_cmp_pd(key, high, _CMP_LE_OQ));
    const int kept = _mm256_movemask_pd(in);
    if (kept == 0) continue;  // where few are kept, most of the time
    const __m256i order = load256(kChoices.doubles[kept]);
    const auto choose = [order](__m256d v) {
      return _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(v), order));
    };
    _mm256_storeu_pd(logits + to, choose(x));
    if (weights != nullptr) _mm256_storeu_pd(weights + to, choose(_mm256_loadu_pd(weights + begin)));
    const __m128 four = _mm_loadu_ps(reinterpret_cast<const float*>(ids + begin));
    const __m128i words = _mm_load_si128(reinterpret_cast<const __m128i*>(kChoices.words[kept]));
    _mm_storeu_ps(reinterpret_cast<float*>(ids + to), _mm_permutevar_ps(four, words));
    to += static_cast<size_t>(__builtin_popcount(static_cast<unsigned>(kept)));
  }
  return keep_in_range(range, begin, end, to, ids, logits, weights);
}

void extremes_by_fours(const double* x, size_t n, double* least, double* most) {
  __m256d low[2], high[2];
  for (int j = 0; j < 2; ++j) low[j] = _mm256_set1_pd(__builtin_inf()), high[j] = _mm256_set1_pd(-__builtin_inf());
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (size_t j = 0; j < 2; ++j) {
      const __m256d four = _mm256_loadu_pd(x + i + 4 * j);
      low[j] = _mm256_min_pd(four, low[j]);  // the second where one is NaN
      high[j] = _mm256_max_pd(four, high[j]);
    }
  }
  double lanes[8];
  _mm256_storeu_pd(lanes, _mm256_min_pd(low[0], low[1]));
  _mm256_storeu_pd(lanes + 4, _mm256_max_pd(high[0], high[1]));
  extremes(x + i, n - i, least, most);
  for (int j = 0; j < 4; ++j) {
    *least = lanes[j] < *least ? lanes[j] : *least;
    *most = lanes[4 + j] > *most ? lanes[4 + j] : *most;
  }
}

}  // namespace

void init_avx2_sampling(Kernels& k) {
  init_sampling_loops(k);
  k.keep_in_range = keep_in_range_by_fours;
  k.extremes = extremes_by_fours;
}

}  // namespace nt::cpu

#endif
