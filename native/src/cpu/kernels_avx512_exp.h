// AVX-512: eˣ.
#pragma once

#include <immintrin.h>

namespace nt::cpu {
namespace {

// eˣ within 2 ulp; 0 below the range of a float, infinity above it, NaN for NaN. x = n·ln 2 + r with |r| ≤ ln 2 / 2,
// where ln 2 is in two parts (Cody and Waite), and eʳ is a polynomial of degree 6, fitted to the least relative error,
// 3·10⁻⁹ before rounding.
inline __m512 exp16(__m512 x) {
  // Where an operand is NaN, min and max return the second.
  x = _mm512_max_ps(_mm512_set1_ps(-150.0f), _mm512_min_ps(_mm512_set1_ps(150.0f), x));
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
  __m512 p = _mm512_set1_ps(0.0013814539f);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.0083687454f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.041668389f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.16666521f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.49999994f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(p, n);
}

inline float exp1(float x) { return _mm512_cvtss_f32(exp16(_mm512_set1_ps(x))); }

}  // namespace
}  // namespace nt::cpu
