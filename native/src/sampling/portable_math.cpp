#include "sampling/portable_math.h"

#include <cmath>
#include <cstdint>
#include <cstring>

#include "sampling/exp_in_range.h"

namespace nt {

double portable_exp(double x) {
  if (x != x) return x;
  if (x > kMostExponent) return HUGE_VAL;
  return x < kLeastExponent ? 0 : exp_in_range(x);
}

double portable_log(double x) {
  if (!(x > 0)) return x == 0 ? -HUGE_VAL : std::nan("");
  if (x > 0x1.fffffffffffffp1023) return x;
  int k = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    k = -54;
  }
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  k += static_cast<int>(bits >> 52) - 1023;
  bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
  double m;
  std::memcpy(&m, &bits, sizeof m);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++k;
  }
  // x = 2ᵏ · m, m in [√½, √2]: ln m = f − f²/2 + s · (f²/2 + R), with f = m − 1, s = f / (2 + f) and R the rest of the
  // series of 2 artanh s, so that the large term f is exact. |s| ≤ 0.172; the first term left out is below 2⁻⁵⁷.
  const double f = m - 1, s = f / (2 + f), z = s * s;
  double rest = 0;
  for (int i = 23; i >= 3; i -= 2) rest = rest * z + 2.0 / i;
  rest *= z;
  const double half = 0.5 * f * f;
  return k * kLn2High - ((half - (s * (half + rest) + k * kLn2Low)) - f);
}

double portable_pow(double x, double y) {
  if (y == 0) return 1;
  if (x == 0) return y > 0 ? 0 : HUGE_VAL;
  return portable_exp(y * portable_log(x));
}

}  // namespace nt
