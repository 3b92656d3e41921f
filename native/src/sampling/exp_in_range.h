// The exponential function of sampling, in a form that compilers make vectors of. With internal linkage, since each
// instruction set's kernels have their own.
#pragma once

#include <cstdint>
#include <cstring>

namespace nt {
namespace {

// ln 2 in two parts, so that k · kLn2High is exact for every exponent k.
constexpr double kLn2High = 0x1.62e42fefa3800p-1, kLn2Low = 0x1.ef35793c76730p-45;
constexpr double kLeastExponent = -708, kMostExponent = 709;  // where eˣ is a normal number

// eˣ to within 2 ulp for x in [kLeastExponent, kMostExponent]. No branch and no call.
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
  double e = 1 + (r + s * (even + r * odd));
  uint64_t bits, exponent;
  std::memcpy(&bits, &e, sizeof bits);
  std::memcpy(&exponent, &shifted, sizeof exponent);
  bits += exponent << 52;  // e · 2ᵏ
  std::memcpy(&e, &bits, sizeof e);
  return e;
}

}  // namespace
}  // namespace nt
