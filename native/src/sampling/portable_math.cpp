#include "sampling/portable_math.h"

#include <cmath>
#include <cstdint>
#include <cstring>

namespace nt {
namespace {

// ln 2 in two parts, so that k · kLn2High is exact for every exponent k.
constexpr double kLn2High = 0x1.62e42fefa3800p-1, kLn2Low = 0x1.ef35793c76730p-45;
constexpr double kLeast = -708, kMost = 709;  // where eˣ is a normal number

// eˣ for x in [kLeast, kMost]. No branch and no call, so that a loop over it becomes vectors.
inline double exp_in_range(double x) {
  // x = k·ln 2 + r, |r| ≤ ln 2 / 2. Adding 1.5·2⁵² rounds to an integer, which the low bits of the sum then are.
  constexpr double kRound = 0x1.8p52;
  const double shifted = x * 1.4426950408889634 + kRound;
  const double k = shifted - kRound;
  const double r = (x - k * kLn2High) - k * kLn2Low;
  // Taylor, even and odd powers apart; the first term left out is below 2⁻⁵⁷.
  const double s = r * r;
  double even = 1.0 / 479001600, odd = 1.0 / 6227020800;
  even = even * s + 1.0 / 3628800;
  odd = odd * s + 1.0 / 39916800;
  even = even * s + 1.0 / 40320;
  odd = odd * s + 1.0 / 362880;
  even = even * s + 1.0 / 720;
  odd = odd * s + 1.0 / 5040;
  even = even * s + 1.0 / 24;
  odd = odd * s + 1.0 / 120;
  even = even * s + 1.0 / 2;
  odd = odd * s + 1.0 / 6;
  const double e = 1 + (r + s * (even + r * odd));
  uint64_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 1023) << 52;  // 2ᵏ
  double scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return e * scale;
}

}  // namespace

double portable_exp(double x) {
  if (x != x) return x;
  if (x > kMost) return HUGE_VAL;
  return x < kLeast ? 0 : exp_in_range(x);
}

void portable_exp_below(const double* x, size_t n, double max, double* out) {
  for (size_t i = 0; i < n; ++i) {
    const double d = x[i] - max;
    const double e = exp_in_range(d < kLeast ? kLeast : d);
    out[i] = d < kLeast ? 0 : e;
  }
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
